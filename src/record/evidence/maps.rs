//! A map that a model drew of a picture, beside the exact one.

use serde::{Deserialize, Serialize};

/// The measures of a map. Which ones there are depends on the kind of the map.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MapMeasures {
    /// `canny`, `edges`, `segment`, `depth` or `mask`.
    pub map: String,
    /// Width of the picture, at whose size maps are compared, in pixels.
    pub width: u32,
    /// Its height, in pixels.
    pub height: u32,
    /// Whether the output was resized to it.
    pub resized: bool,
    /// Of edges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<EdgeMeasures>,
    /// Of segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<SegmentMeasures>,
    /// Of depth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<DepthMeasures>,
    /// Of a mask that is drawn on the picture: its intersection over union with the true mask. Null if both
    /// are empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask_iou: Option<f64>,
}

impl MapMeasures {
    /// The key that shows this kind.
    pub const KEY: &'static str = "map";
}

/// The numbers of edge pixels: matched predicted ones, all predicted ones, matched reference ones, all
/// reference ones.
pub type Counts = [u64; 4];

/// The harmonic mean of precision and recall of edges with a tolerance. This is looser than a one-to-one
/// matching. 0 if nothing matches, and `None` if both maps are empty.
pub fn f_distance([hit, predicted, found, reference]: Counts) -> Option<f64> {
    if predicted + reference == 0 {
        return None;
    }
    if hit == 0 || found == 0 {
        return Some(0.0);
    }
    let precision = hit as f64 / predicted as f64;
    let recall = found as f64 / reference as f64;
    Some(2.0 * precision * recall / (precision + recall))
}

/// Edges against reference edges.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EdgeMeasures {
    /// The tolerance, in pixels.
    pub radius: f64,
    /// Whether dark lines on white were inverted.
    pub inverted: bool,
    /// The counts at the thresholds 0.01 to 0.99.
    pub thresholds: Vec<Counts>,
    /// The counts at 0.5 without tolerance.
    pub exact: Counts,
    /// The mean F of random points of the same number as the reference, with the tolerance.
    pub null: f64,
}

/// Segments against true segments.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SegmentMeasures {
    /// The number of classes.
    pub classes: usize,
    /// The numbers of pixels by true class and answered class, row by row.
    pub confusion: Vec<u64>,
    /// The share of pixels that are far from every colour of the palette.
    pub far: f64,
    /// The counts of the boundaries between classes, with the tolerance.
    pub boundary: Counts,
}

/// Depth against true depth. Drawn depth is 0 to 1, and near is bright.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DepthMeasures {
    /// The median of each layer, from the farthest to the nearest. Empty without layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<f64>,
    /// The errors in metres. Absent without true distances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricDepth>,
}

/// Errors of depth after alignment with true distances.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct MetricDepth {
    /// The factor of the alignment. Negative if near is dark.
    pub scale: f64,
    /// The shift of the alignment.
    pub shift: f64,
    /// The mean relative error.
    pub abs_rel: f64,
    /// The share of pixels within a factor of 1.25.
    pub delta1: f64,
    /// The error of the logarithm without its mean.
    pub si_rmse: f64,
    /// The correlation of ranks. Null if a map is constant.
    pub spearman: Option<f64>,
    /// The mean relative error of the best constant.
    pub null_abs_rel: f64,
}

#[cfg(test)]
mod tests {
    use super::super::{read, written};
    use super::*;

    // tests/golden/probes/make.py: `edges`.
    #[test]
    fn f_is_that_of_the_specification() {
        for (counts, expected) in [
            ([416, 539, 416, 575], 0.746_858),
            ([488, 539, 500, 575], 0.887_111),
            ([349, 565, 349, 575], 0.612_281),
            ([565, 565, 574, 575], 0.999_130),
            ([575, 1858, 575, 575], 0.472_667),
            ([1577, 1858, 575, 575], 0.918_195),
        ] {
            let found = f_distance(counts).unwrap();
            assert!((found - expected).abs() < 1e-6, "{found}");
        }
        assert_eq!(f_distance([0; 4]), None);
        assert_eq!(f_distance([0, 4, 0, 0]), Some(0.0));
    }

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let seen = MapMeasures {
            map: "edges".into(),
            width: 4,
            height: 3,
            edges: Some(EdgeMeasures {
                radius: 1.0,
                thresholds: vec![[1, 2, 3, 4]],
                null: 0.25,
                ..EdgeMeasures::default()
            }),
            ..MapMeasures::default()
        };
        let value = written(&seen).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"map":"edges","width":4,"height":3,"resized":false,"edges":{"radius":1.0,"inverted":false,"thresholds":[[1,2,3,4]],"exact":[0,0,0,0],"null":0.25}}"#
        );
        assert_eq!(read::<MapMeasures>(&value), seen);
    }
}
