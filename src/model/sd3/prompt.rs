//! The prompt of Stable Diffusion 3, and one guided evaluation.

use super::Sd3Transformer;
use crate::model::clip::ClipTextStates;
use crate::model::{ModelError, Result};
use candle_core::{D, Tensor};

/// A prompt as the transformer sees it.
#[derive(Debug, Clone)]
pub struct Sd3Prompt {
    /// The states of its tokens, [B, L, J].
    pub context: Tensor,
    /// Both pooled vectors side by side, [B, Q].
    pub pooled: Tensor,
}

impl Sd3Prompt {
    /// The states of both CLIPs side by side, with zeros up to T5's width, and then those of T5, [B, T, J].
    ///
    /// # Errors
    /// Fails if both CLIPs together are wider than T5.
    pub fn joined(first: &ClipTextStates, second: &ClipTextStates, long: &Tensor) -> Result<Self> {
        let short = Tensor::cat(&[&first.penultimate, &second.penultimate], D::Minus1)?;
        let missing = long.dim(D::Minus1)?.checked_sub(short.dim(D::Minus1)?);
        let missing = missing
            .ok_or_else(|| ModelError::Input("both CLIPs together are wider than T5".into()))?;
        let short = short.pad_with_zeros(D::Minus1, 0, missing)?;
        Ok(Self {
            context: Tensor::cat(&[&short, &long.to_dtype(short.dtype())?], 1)?,
            pooled: Tensor::cat(&[&first.pooled, &second.pooled], D::Minus1)?,
        })
    }
}

/// The guided velocity of latents [1, c, h, w] at a time from 0 to 1000. Without `negative`, there is no
/// guidance.
///
/// # Errors
/// Fails if shapes differ.
pub fn guided(
    network: &Sd3Transformer,
    x: &Tensor,
    time: f32,
    prompt: &Sd3Prompt,
    negative: Option<&Sd3Prompt>,
    scale: f64,
) -> Result<Tensor> {
    let Some(negative) = negative else {
        let time = Tensor::new(&[time], x.device())?;
        return network.forward(x, &time, &prompt.context, &prompt.pooled);
    };
    let time = Tensor::new(&[time, time], x.device())?;
    let context = Tensor::cat(&[&negative.context, &prompt.context], 0)?;
    let pooled = Tensor::cat(&[&negative.pooled, &prompt.pooled], 0)?;
    let both = network.forward(&Tensor::cat(&[x, x], 0)?, &time, &context, &pooled)?;
    let (without, with) = (both.narrow(0, 0, 1)?, both.narrow(0, 1, 1)?);
    Ok((&without + ((with - &without)? * scale)?)?)
}
