//! Depth: the medians of layers, or the errors in metres.

use super::{absent, open_map, optional, required};
use crate::image::cv::{Element, erode, grey};
use crate::image::edit::Mask;
use crate::image::maps::{depth_errors, spearman};
use crate::image::pillow::{Filter, resize};
use crate::observe::pictures::expected_text;
use crate::observe::{ObserveError, Subject};
use crate::record::evidence::{DepthMeasures, MetricDepth};
use image::RgbImage;

/// The largest distance without `z_max`, in metres.
const FARTHEST: f64 = 10.0;

/// Compares a drawn depth with what the item knows.
///
/// # Errors
/// Fails if the item has neither `instances` nor `metres`, or if one of them cannot be read.
pub(super) fn measure(
    subject: &Subject<'_>,
    output: &RgbImage,
    input: &RgbImage,
) -> Result<DepthMeasures, ObserveError> {
    let drawn = resize(output, input.width(), input.height(), Filter::Bicubic);
    let drawn: Vec<u8> = drawn.pixels().map(|pixel| grey(pixel.0)).collect();
    if expected_text(subject.item, "instances").is_some() {
        let map = open_map(subject, "instances", input)?;
        let count: u8 = required(subject.item, "layers")?;
        let layers = (0..count).filter_map(|layer| median(&drawn, &map, layer));
        return Ok(DepthMeasures {
            layers: layers.collect(),
            metric: None,
        });
    }
    let path = expected_text(subject.item, "metres").ok_or_else(|| absent("instances"))?;
    let truth = millimetres(subject, path, drawn.len())?;
    let z_max: Option<f64> = optional(subject.item, "z_max")?;
    let values: Vec<f64> = drawn
        .iter()
        .map(|value| f64::from(*value) / 255.0)
        .collect();
    Ok(DepthMeasures {
        layers: Vec::new(),
        metric: metric(&values, &truth, z_max.unwrap_or(FARTHEST)),
    })
}

/// The errors of a drawn depth, and its correlation with nearness. `None` without a true distance.
fn metric(drawn: &[f64], truth: &[f64], z_max: f64) -> Option<MetricDepth> {
    let errors = depth_errors(drawn, truth, z_max)?;
    let known = drawn.iter().zip(truth).filter(|(_, z)| **z > 0.0);
    let (drawn, near): (Vec<f64>, Vec<f64>) = known.map(|(d, z)| (*d, -z)).unzip();
    Some(MetricDepth {
        scale: errors.scale,
        shift: errors.shift,
        abs_rel: errors.abs_rel,
        delta1: errors.delta1,
        si_rmse: errors.si_rmse,
        spearman: spearman(&drawn, &near),
        null_abs_rel: errors.null_abs_rel,
    })
}

/// The true distances in metres. 0 is unknown.
///
/// # Errors
/// Fails if the file is no picture with 16 bits, or has another number of pixels.
fn millimetres(subject: &Subject<'_>, path: &str, count: usize) -> Result<Vec<f64>, ObserveError> {
    let wrong = |why: String| ObserveError::new("input", format!("`expect.metres`: {why}"));
    let bytes = crate::image::read_file(&subject.base.join(path));
    let bytes = bytes.map_err(|error| wrong(error.to_string()))?;
    // The size is checked before anything is decoded.
    crate::image::dimensions(&bytes, path).map_err(|error| wrong(error.to_string()))?;
    let picture = image::load_from_memory(&bytes).map_err(|error| wrong(error.to_string()))?;
    let values = picture.into_luma16();
    if values.len() != count {
        return Err(wrong("it has not the size of the input".to_owned()));
    }
    Ok(values
        .iter()
        .map(|value| f64::from(*value) / 1000.0)
        .collect())
}

/// The median of the drawn depth inside a layer, 0 to 1, without its outermost pixels if others are left.
/// `None` for a layer without pixels.
fn median(drawn: &[u8], map: &RgbImage, layer: u8) -> Option<f64> {
    let (width, height) = (map.width() as usize, map.height() as usize);
    let whole = Mask::from_fn(width, height, |x, y| {
        map.get_pixel(x as u32, y as u32).0[0] == layer
    });
    let inner = erode(&whole, &Element::square(1));
    let region = if inner.count() > 0 { inner } else { whole };
    let inside = drawn.iter().zip(region.pixels());
    let mut values: Vec<u8> = inside
        .filter(|(_, inside)| **inside)
        .map(|(value, _)| *value)
        .collect();
    values.sort_unstable();
    let middle = |place: usize| values.get(place).map(|value| f64::from(*value));
    let upper = middle(values.len() / 2)?;
    let lower = middle((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_layer_has_the_median_of_its_inner_pixels() {
        let map = RgbImage::from_fn(9, 5, |x, _| Rgb([u8::from(x >= 4); 3]));
        // The border between the layers is drawn in between.
        let drawn: Vec<u8> = (0..45)
            .map(|place| match place % 9 {
                0..3 => 51,
                3 | 4 => 130,
                _ => 204,
            })
            .collect();
        assert_eq!(median(&drawn, &map, 0), Some(0.2));
        assert_eq!(median(&drawn, &map, 1), Some(0.8));
        assert_eq!(median(&drawn, &map, 2), None);
    }
}
