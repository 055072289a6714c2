//! What an edit changed in the pixels: output against input, and against the target.

use super::field::Field;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `region` if the region is the part in which the output itself differs.
const OWN: &str = "output";

/// All measures of one edit. Fractions are 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PixelMeasures {
    /// Width of the input, at whose size pictures are compared, in pixels.
    pub width: u32,
    /// Its height, in pixels.
    pub height: u32,
    /// Whether the output was resized to it.
    pub resized: bool,
    /// Whether nothing differs.
    pub identical: bool,
    /// Measures over the whole picture.
    #[serde(flatten)]
    pub whole: Comparison,
    /// Share of pixels that changed.
    pub edit_fraction: f64,
    /// Share of pixels in large connected parts that changed.
    pub main_fraction: f64,
    /// How many such parts there are.
    pub components: usize,
    /// The weight of the change mask. Null if nothing changed.
    pub log_weight: Option<f64>,
    /// Where the output differs.
    pub mask: ChangeMask,
    /// What the region is: `annotation`, `target` or `output`.
    pub region: &'static str,
    /// Measures inside the region.
    pub inside: RegionMeasures,
    /// Measures outside the region.
    pub outside: RegionMeasures,
    /// How well the changed pixels meet the region. Absent if it comes from the output itself.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// Measures over the whole picture, with both pictures black inside the region. Absent without an
    /// annotated mask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zeroed: Option<Comparison>,
    /// The output against the target. Absent without a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetMeasures>,
}

/// The distance of two pictures, whose values are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// The mean absolute difference. Null if there are no pixels.
    pub l1: Option<f64>,
    /// The mean squared difference. Null if there are no pixels.
    pub l2: Option<f64>,
    /// Decibels. Null if nothing differs, since it is infinite then.
    pub psnr: Option<f64>,
    /// The structural similarity, −1 to 1. Null below 11 × 11 pixels.
    pub ssim: Option<f64>,
}

/// A comparison of one part of two pictures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RegionMeasures {
    /// The share of the picture's pixels in this part.
    pub share: f64,
    /// Measures over this part.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// How well the changed pixels meet the region.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Overlap {
    /// Share of the changed pixels that are in or near the region. Null if nothing changed.
    pub precision: Option<f64>,
    /// The share of the region that changed. Null if the region is empty.
    pub recall: Option<f64>,
    /// Intersection over union of both.
    pub iou: Option<f64>,
    /// The share of the outside that changed. Null if there is no outside.
    pub leak: Option<f64>,
}

/// Output against target, at the target's size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TargetMeasures {
    /// Measures over the whole picture.
    #[serde(flatten)]
    pub whole: Comparison,
    /// Measures inside the region.
    pub inside: RegionMeasures,
}

/// Where the output differs, in square cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMask {
    /// Cells in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Side of a cell, in pixels.
    pub cell: usize,
    /// Lengths of runs row by row, black and white in turn, in cells.
    pub runs: Vec<u32>,
}

/// What a drawing of the change needs.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct EditedPicture {
    /// The same as [`PixelMeasures::width`].
    pub width: Field<usize>,
    /// The same as [`PixelMeasures::height`].
    pub height: Field<usize>,
    /// The same as [`PixelMeasures::edit_fraction`].
    pub edit_fraction: Field<f64>,
    /// The same as [`PixelMeasures::mask`].
    pub mask: Field<ChangeMask>,
}

/// Whether the region of an evidence object comes from the output itself.
pub fn is_own_region(evidence: &Value) -> bool {
    evidence.get("region").and_then(Value::as_str) == Some(OWN)
}

#[cfg(test)]
mod tests {
    use super::super::{read, written};
    use super::*;
    use serde_json::json;

    fn comparison() -> Comparison {
        Comparison {
            l1: Some(0.5),
            l2: Some(0.25),
            psnr: None,
            ssim: Some(1.0),
        }
    }

    fn measures() -> PixelMeasures {
        let part = RegionMeasures {
            share: 0.5,
            comparison: comparison(),
        };
        PixelMeasures {
            width: 16,
            height: 8,
            resized: false,
            identical: false,
            whole: comparison(),
            edit_fraction: 0.5,
            main_fraction: 0.25,
            components: 1,
            log_weight: None,
            mask: ChangeMask {
                width: 2,
                height: 1,
                cell: 8,
                runs: vec![1, 1],
            },
            region: "output",
            inside: part,
            outside: part,
            overlap: None,
            zeroed: None,
            target: None,
        }
    }

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let numbers = r#""l1":0.5,"l2":0.25,"psnr":null,"ssim":1.0"#;
        let part = format!(r#"{{"share":0.5,{numbers}}}"#);
        let start = format!(
            r#"{{"width":16,"height":8,"resized":false,"identical":false,{numbers},"edit_fraction":0.5,"main_fraction":0.25,"components":1,"log_weight":null,"mask":{{"width":2,"height":1,"cell":8,"runs":[1,1]}},"region":"output","inside":{part},"outside":{part}"#
        );
        let own = measures();
        let value = written(&own).unwrap();
        assert_eq!(value.to_string(), format!("{start}}}"));
        assert!(is_own_region(&value));
        let all = PixelMeasures {
            overlap: Some(Overlap {
                precision: None,
                recall: Some(1.0),
                iou: Some(0.5),
                leak: Some(0.0),
            }),
            zeroed: Some(comparison()),
            target: Some(TargetMeasures {
                whole: comparison(),
                inside: own.inside,
            }),
            ..own
        };
        assert_eq!(
            written(&all).unwrap().to_string(),
            format!(
                r#"{start},"precision":null,"recall":1.0,"iou":0.5,"leak":0.0,"zeroed":{{{numbers}}},"target":{{{numbers},"inside":{part}}}}}"#
            )
        );
    }

    #[test]
    fn a_drawing_reads_what_it_needs() {
        let value = written(&measures()).unwrap();
        let drawn: EditedPicture = read(&value);
        assert_eq!(drawn.mask.get().unwrap().runs, [1, 1]);
        assert_eq!(drawn.edit_fraction, Field::Given(0.5));
        let other = json!({"width": 16.5, "mask": {"width": 2}});
        let drawn: EditedPicture = read(&other);
        assert!(drawn.width.get().is_none() && drawn.mask.get().is_none());
    }
}
