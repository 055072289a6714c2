//! Before it scores anything, a detector looks at a picture of ours twice.

use crate::model::mask2former::Mask2Former;
use crate::model::processor::detection::padded;
use crate::model::{ModelError, Result};
use candle_core::Device;
use image::{Rgb, RgbImage};

/// Side of the picture, pixels: small, so that the test takes a fraction of a second on a CPU.
const SIDE: u32 = 128;

/// A disc, a bar and a slope of colours.
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

/// # Errors
/// When the answers to the same picture differ, or are no numbers.
pub fn repeatable(network: &Mask2Former, device: &Device) -> Result<()> {
    let side = SIDE as usize;
    let pixels = padded(&picture(), (side, side))?.pixel_values;
    let answer = || -> Result<Vec<f32>> {
        let masks = network.forward(&pixels.to_device(device)?)?;
        let classes = masks.class_queries_logits.flatten_all()?.to_vec1::<f32>()?;
        let logits = masks.masks_queries_logits.flatten_all()?.to_vec1::<f32>()?;
        Ok([classes, logits].concat())
    };
    let (first, second) = (answer()?, answer()?);
    if !first.iter().all(|value| value.is_finite()) {
        return Err(ModelError::NotFinite {
            tensor: "the detector's answer to a test picture".into(),
        });
    }
    let worst = (first.iter().zip(&second))
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    // A GPU may add in another order.
    let allowed = if device.is_cpu() { 0.0 } else { 1e-2 };
    if worst > allowed {
        return Err(ModelError::Input(format!(
            "the detector answers the same picture differently each time (by {worst}): memory or driver is at fault"
        )));
    }
    Ok(())
}
