//! The test of a detector before it is used. It looks at a test picture twice, and the answer is compared
//! with earlier answers.

use crate::files::write_whole;
use crate::model::mask2former::Mask2Former;
use crate::model::processor::detection::padded;
use crate::model::{ModelError, Result};
use candle_core::Device;
use image::{Rgb, RgbImage};
use std::path::Path;

/// The side of the picture, in pixels. It is small, so that the test takes a fraction of a second on a CPU.
const SIDE: u32 = 128;

/// A test picture with a disc, a bar and a gradient of colours.
fn picture() -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let (dx, dy) = (i64::from(x) - 44, i64::from(y) - 50);
        if dx * dx + dy * dy < 30 * 30 {
            Rgb([220, 40, 30])
        } else if (90..110).contains(&x) && y > 20 {
            Rgb([30, 60, 200])
        } else {
            Rgb([120 + (x / 4) as u8, 140 + (y / 4) as u8, 150])
        }
    })
}

/// The largest allowed difference between two answers of one device. A GPU may add numbers in another order.
fn allowed_difference(device: &Device) -> f32 {
    if device.is_cpu() { 0.0 } else { 1e-2 }
}

/// The largest allowed difference between the answers of different devices and builds. Another configuration
/// of the same weights differs more.
const ALLOWED_BETWEEN: f32 = 5e-2;

/// The detector's answer to the picture, which is the scores of the classes for each query.
///
/// # Errors
/// Fails if the answers to the same picture differ, or are not numbers.
pub(super) fn test_answer(network: &Mask2Former, device: &Device) -> Result<Vec<f32>> {
    let side = SIDE as usize;
    let pixels = padded(&picture(), (side, side))?.pixel_values;
    let look = || -> Result<(Vec<f32>, Vec<f32>)> {
        let masks = network.forward(&pixels.to_device(device)?)?;
        Ok((
            masks.class_queries_logits.flatten_all()?.to_vec1()?,
            masks.masks_queries_logits.flatten_all()?.to_vec1()?,
        ))
    };
    let (first, second) = (look()?, look()?);
    if !first
        .0
        .iter()
        .chain(&first.1)
        .all(|value| value.is_finite())
    {
        return Err(ModelError::NotFinite {
            tensor: "the detector's answer to a test picture".into(),
        });
    }
    let worst =
        largest_difference(&first.0, &second.0).max(largest_difference(&first.1, &second.1));
    if worst > allowed_difference(device) {
        return Err(ModelError::Input(format!(
            "the detector gives two answers to the same picture that differ by {worst}: the memory or the driver is faulty"
        )));
    }
    Ok(first.0)
}

/// Compares an answer with the answer that these weights gave when they were first loaded. This answer is
/// kept in `folder` under the fingerprint of the weights. If it cannot be written there, the next time
/// compares nothing.
///
/// # Errors
/// Fails if the answers differ.
pub(super) fn same_as_before(answer: &[f32], fingerprint: &str, folder: &Path) -> Result<()> {
    let file = folder.join(format!("{fingerprint}.json"));
    let known = std::fs::read(&file).ok();
    let known = known.and_then(|bytes| serde_json::from_slice::<Vec<f32>>(&bytes).ok());
    let Some(known) = known else {
        if let Err(error) = write_answer(answer, &file) {
            tracing::debug!("{}: {error}", file.display());
        }
        return Ok(());
    };
    let worst = largest_difference(answer, &known);
    if worst <= ALLOWED_BETWEEN {
        return Ok(());
    }
    Err(ModelError::file(
        &file,
        format!(
            "the detector's answer to a test picture differs by {worst} from its answer when these weights were first \
             loaded: the configuration has changed, or the device or its driver is faulty"
        ),
        "remove this file if the new answers are the right ones",
    ))
}

fn write_answer(answer: &[f32], file: &Path) -> std::io::Result<()> {
    write_whole(file, &serde_json::to_vec(answer)?).map_err(|error| error.source)
}

/// The largest difference between two numbers. It is infinite if the lengths differ.
fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return f32::INFINITY;
    }
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}
