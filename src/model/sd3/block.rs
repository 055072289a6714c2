//! A block of the transformer: picture and text have weights of their own and attend to each other.

use super::Sd3Config;
use crate::model::flux::{Modulation, modulate};
use crate::model::nn::{JointProjections, Linear, PICTURE, TEXT, TanhFeedForward, linear};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};
use unigauge_kernels::gated_sum;

/// What comes after the attention of a stream.
#[derive(Debug)]
struct After {
    to_out: Linear,
    ff: TanhFeedForward,
}

impl After {
    fn new(block: &Weights, out: &str, ff: &str, width: usize) -> Result<Self> {
        Ok(Self {
            to_out: linear(&block.at("attn").at(out), width, width, true)?,
            ff: TanhFeedForward::new(&block.at(ff), width)?,
        })
    }

    /// Adds the attention, what `more` adds, and the feed-forward. `parts` are shift, scale and gate of each.
    fn forward(
        &self,
        x: &Tensor,
        seen: &Tensor,
        parts: &[Tensor],
        more: impl Fn(Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let x = more(gated_sum(x, &parts[2], &self.to_out.forward(seen)?)?)?;
        let normed = modulate(&x, &parts[4], &parts[3])?;
        gated_sum(&x, &parts[5], &self.ff.forward(&normed)?)
    }
}

/// The second attention of a block, of the picture alone.
#[derive(Debug)]
struct Second {
    projections: JointProjections,
    to_out: Linear,
}

/// `transformer_blocks.*`
#[derive(Debug)]
pub(super) struct Block {
    norm1: Modulation,
    norm1_context: Modulation,
    picture: JointProjections,
    text: JointProjections,
    after_picture: After,
    /// `None` in the last block, whose text only gives keys and values.
    after_text: Option<After>,
    second: Option<Second>,
}

impl Block {
    pub(super) fn new(config: &Sd3Config, weights: &Weights, index: usize) -> Result<Self> {
        let (width, attn) = (config.width(), weights.at("attn"));
        let is_dual = config.dual_attention_layers.contains(&index);
        let is_last = index + 1 == config.num_layers;
        let second = || -> Result<Second> {
            let attn = weights.at("attn2");
            Ok(Second {
                projections: JointProjections::new(config.joint(), &attn, PICTURE)?,
                to_out: linear(&attn.at("to_out.0"), width, width, true)?,
            })
        };
        let text_parts = if is_last { 2 } else { 6 };
        Ok(Self {
            norm1: Modulation::new(&weights.at("norm1"), width, if is_dual { 9 } else { 6 })?,
            norm1_context: Modulation::new(&weights.at("norm1_context"), width, text_parts)?,
            picture: JointProjections::new(config.joint(), &attn, PICTURE)?,
            text: JointProjections::new(config.joint(), &attn, TEXT)?,
            after_picture: After::new(weights, "to_out.0", "ff", width)?,
            after_text: (!is_last)
                .then(|| After::new(weights, "to_add_out", "ff_context", width))
                .transpose()?,
            second: is_dual.then(second).transpose()?,
        })
    }

    /// Picture tokens [B, N, D] and text tokens [B, T, D] → the same. `condition` is the SiLU of the
    /// embedding [B, D].
    pub(super) fn forward(
        &self,
        picture: &Tensor,
        text: &Tensor,
        condition: &Tensor,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let parts = self.norm1.forward(condition)?;
        let text_parts = self.norm1_context.forward(condition)?;
        // In the last block, the scale comes first.
        let [scale, shift] = match self.after_text {
            Some(_) => [1, 0],
            None => [0, 1],
        };
        let normed_text = modulate(text, &text_parts[scale], &text_parts[shift])?;
        let from_text = self.text.forward(&normed_text, Ok)?;
        let normed = modulate(picture, &parts[1], &parts[0])?;
        let from_picture = self.picture.forward(&normed, Ok)?;
        let seen = from_picture.join(&from_text)?.attend()?;
        let count = picture.dim(1)?;
        let by_picture = seen.narrow(1, 0, count)?.contiguous()?;
        let by_text = seen.narrow(1, count, text.dim(1)?)?.contiguous()?;
        let more = |x: Tensor| match &self.second {
            Some(second) => {
                let normed = modulate(picture, &parts[7], &parts[6])?;
                let seen = second.projections.forward(&normed, Ok)?.attend()?;
                gated_sum(&x, &parts[8], &second.to_out.forward(&seen)?)
            }
            None => Ok(x),
        };
        let picture = self
            .after_picture
            .forward(picture, &by_picture, &parts, more)?;
        let text = match &self.after_text {
            Some(after) => after.forward(text, &by_text, &text_parts, Ok)?,
            None => text.clone(),
        };
        Ok((picture, text))
    }
}
