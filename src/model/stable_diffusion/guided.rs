//! One evaluation of the UNet, with and without the prompt.

use super::{Added, UNet};
use crate::model::{ModelError, Result};
use candle_core::{DType, Device, Tensor};

/// A prompt as the UNet sees it.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The states of its tokens, [1, L, J].
    pub context: Tensor,
    /// SDXL's pooled vector and sizes.
    pub added: Option<Added>,
}

/// How strongly the prediction follows the prompt.
#[derive(Debug, Clone, Copy)]
pub struct Guidance {
    /// The factor of the difference that the prompt makes. Up to 1, there is no evaluation without the
    /// prompt.
    pub scale: f64,
    /// How far the deviation of the prediction is drawn to that of the prediction with the prompt, 0 to 1
    /// (Lin et al., arXiv 2305.08891).
    pub rescale: f64,
}

impl Guidance {
    /// Whether the negative prompt is needed.
    pub fn is_on(&self) -> bool {
        self.scale > 1.0
    }
}

/// The six numbers of SDXL for a picture that was neither scaled nor cut, [1, 6].
///
/// # Errors
/// Fails if the device has no room.
pub fn size_numbers(height: u32, width: u32, device: &Device) -> Result<Tensor> {
    let (height, width) = (height as f32, width as f32);
    let numbers = [[height, width, 0.0, 0.0, height, width]];
    Ok(Tensor::new(&numbers, device)?)
}

/// The guided prediction for the network's input `x` [1, c, h, w] at a time. Both prompts are evaluated
/// together.
///
/// # Errors
/// Fails if the guidance needs a negative prompt and there is none, or if shapes differ.
pub fn guided(
    unet: &UNet,
    x: &Tensor,
    time: f32,
    prompt: &Prompt,
    negative: Option<&Prompt>,
    guidance: Guidance,
) -> Result<Tensor> {
    if !guidance.is_on() {
        let time = Tensor::new(&[time], x.device())?;
        return unet.forward(x, &time, &prompt.context, prompt.added.as_ref());
    }
    let negative =
        negative.ok_or_else(|| ModelError::Input("the guidance needs a negative prompt".into()))?;
    let time = Tensor::new(&[time, time], x.device())?;
    let context = Tensor::cat(&[&negative.context, &prompt.context], 0)?;
    let added = both_added(negative, prompt)?;
    let twice = Tensor::cat(&[x, x], 0)?;
    let both = unet.forward(&twice, &time, &context, added.as_ref())?;
    let (without, with) = (both.narrow(0, 0, 1)?, both.narrow(0, 1, 1)?);
    let mixed = (&without + ((&with - &without)? * guidance.scale)?)?;
    if guidance.rescale == 0.0 {
        return Ok(mixed);
    }
    let ratio = deviation(&with)? / deviation(&mixed)?;
    Ok((mixed * (guidance.rescale * ratio + 1.0 - guidance.rescale))?)
}

fn both_added(negative: &Prompt, prompt: &Prompt) -> Result<Option<Added>> {
    let (Some(without), Some(with)) = (&negative.added, &prompt.added) else {
        return Ok(None);
    };
    let both = |a: &Tensor, b: &Tensor| Tensor::cat(&[a, b], 0);
    Ok(Some(Added {
        text_embeds: both(&without.text_embeds, &with.text_embeds)?,
        time_ids: both(&without.time_ids, &with.time_ids)?,
    }))
}

/// The unbiased standard deviation of all values.
fn deviation(x: &Tensor) -> Result<f64> {
    let variance = x.to_dtype(DType::F32)?.flatten_all()?.var(0)?;
    Ok(f64::from(variance.to_scalar::<f32>()?).sqrt())
}
