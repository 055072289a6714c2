//! The UNet of Stable Diffusion 1.5, 2 and XL, with the keys and the results of `UNet2DConditionModel` of
//! diffusers.
//!
//! Rombach et al., arXiv 2112.10752; Podell et al., arXiv 2307.01952. `unet_2d` of candle-transformers is not
//! used: its GEGLU has the tanh approximation of GELU, it has no `add_embedding`, so it cannot be SDXL's
//! network, it computes the sinusoids of a time in the network's number format, and its blocks without
//! attention ignore `norm_num_groups`. The cases `sd_unet` and `sd_unet_xl` show each of these.

mod blocks;
mod config;
mod transformer;

pub use config::{PerBlock, UNetConfig};

use crate::model::nn::{Activation, Conv2d, Embedder, GroupNorm, Sinusoid};
use crate::model::{ModelError, Result, Weights};
use blocks::{DownBlock, MidBlock, Seen, UpBlock};
use candle_core::{DType, Tensor};

/// What SDXL's network also sees.
#[derive(Debug, Clone)]
pub struct Added {
    /// The pooled vector of the prompt, [B, Q].
    pub text_embeds: Tensor,
    /// Original height and width, top and left of the crop, and target height and width, [B, 6].
    pub time_ids: Tensor,
}

/// The network.
#[derive(Debug, Clone)]
pub struct UNet {
    conv_in: Conv2d,
    time_embedding: Embedder,
    add_embedding: Option<(Embedder, usize)>,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    sinusoid: Sinusoid,
    channels: usize,
    dtype: DType,
}

impl UNet {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if the configuration is of another kind of network, and when [`Weights::get`] fails.
    pub fn new(config: &UNetConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let shapes = config.blocks()?;
        let (Some(first), Some(lowest)) = (shapes.first(), shapes.last()) else {
            return Err(ModelError::Input(
                "unet/config.json: `block_out_channels` is empty".into(),
            ));
        };
        let (top, time) = (first.channels, config.time_width());
        let count = shapes.len();
        let down = |i: usize| {
            let input = shapes[i.saturating_sub(1)].channels;
            let at = weights.at("down_blocks").at(i);
            let kind = (config.down_block_types[i].as_str(), i + 1 < count);
            DownBlock::new(config, &at, input, shapes[i], kind)
        };
        let up = |i: usize| {
            let own = count - 1 - i;
            let before = shapes[(own + 1).min(count - 1)].channels;
            let below = shapes[own.saturating_sub(1)].channels;
            let at = weights.at("up_blocks").at(i);
            let kind = (config.up_block_types[i].as_str(), i + 1 < count);
            UpBlock::new(config, &at, (before, below), shapes[own], kind)
        };
        let norm = weights.at("conv_norm_out");
        Ok(Self {
            conv_in: Conv2d::same(&weights.at("conv_in"), (config.in_channels, top), 3)?,
            time_embedding: Embedder::new(&weights.at("time_embedding"), top, time)?,
            add_embedding: added(config, weights)?,
            down_blocks: (0..count).map(down).collect::<Result<_>>()?,
            mid_block: MidBlock::new(config, &weights.at("mid_block"), *lowest)?,
            up_blocks: (0..count).map(up).collect::<Result<_>>()?,
            conv_norm_out: GroupNorm::new(&norm, config.norm_num_groups, top, config.norm_eps)?,
            conv_out: Conv2d::same(&weights.at("conv_out"), (top, config.out_channels), 3)?,
            sinusoid: Sinusoid {
                cosines_first: config.flip_sin_to_cos,
                shift: config.freq_shift,
            },
            channels: top,
            dtype: weights.dtype(),
        })
    }

    /// The predicted noise [B, c, h, w] in latents of the same shape at the times `[B]` (0 to 999, f32), for
    /// the prompts' states [B, L, J]. SDXL's network needs `added`.
    ///
    /// # Errors
    /// Fails if a shape does not fit, or `added` is missing.
    pub fn forward(
        &self,
        latents: &Tensor,
        timestep: &Tensor,
        context: &Tensor,
        added: Option<&Added>,
    ) -> Result<Tensor> {
        let time = self.time(timestep, added)?;
        let seen = Seen {
            time: &time,
            context,
        };
        let mut x = self.conv_in.forward(latents)?;
        let mut skips = vec![x.clone()];
        for block in &self.down_blocks {
            x = block.forward(&x, seen, &mut skips)?;
        }
        x = self.mid_block.forward(&x, seen)?;
        for block in &self.up_blocks {
            x = block.forward(&x, seen, &mut skips)?;
        }
        let x = Activation::Silu.apply(&self.conv_norm_out.forward(&x)?)?;
        Ok(self.conv_out.forward(&x)?)
    }

    /// SiLU of the embedding of the times, [B, T]. Every residual block starts with this.
    fn time(&self, timestep: &Tensor, added: Option<&Added>) -> Result<Tensor> {
        let sinusoid = self.sinusoid.of(timestep, self.channels)?;
        let mut time = self
            .time_embedding
            .forward(&sinusoid.to_dtype(self.dtype)?)?;
        if let Some((embedder, width)) = &self.add_embedding {
            let added = added.ok_or_else(|| {
                ModelError::Input("SDXL's network needs a pooled prompt and six sizes".into())
            })?;
            let (batch, numbers) = added.time_ids.dims2()?;
            let sizes = self.sinusoid.of(&added.time_ids.flatten_all()?, *width)?;
            let sizes = sizes
                .reshape((batch, numbers * width))?
                .to_dtype(self.dtype)?;
            let both = Tensor::cat(&[&added.text_embeds.to_dtype(self.dtype)?, &sizes], 1)?;
            time = (time + embedder.forward(&both)?)?;
        }
        Ok(Activation::Silu.apply(&time)?)
    }
}

/// `add_embedding` of SDXL, and the width of the sinusoid of each of its six numbers.
fn added(config: &UNetConfig, weights: &Weights) -> Result<Option<(Embedder, usize)>> {
    let (Some(input), Some(width), true) = (
        config.projection_class_embeddings_input_dim,
        config.addition_time_embed_dim,
        config.is_xl(),
    ) else {
        return Ok(None);
    };
    let at = weights.at("add_embedding");
    Ok(Some((
        Embedder::new(&at, input, config.time_width())?,
        width,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::audit;

    fn parameters(text: &str) -> (usize, usize) {
        let config: UNetConfig = serde_json::from_str(text).unwrap();
        let asked = audit(None, |weights| UNet::new(&config, weights)).unwrap();
        let size = |shape: &[usize]| shape.iter().product::<usize>();
        let total = asked.iter().map(|asked| size(&asked.shape)).sum();
        (asked.len(), total)
    }

    // The numbers of parameters of the released networks, as diffusers counts them.
    #[test]
    fn the_released_networks_have_the_published_numbers_of_parameters() {
        let sd = include_str!("../../../../configs/released/stable-diffusion-1.5/unet.json");
        assert_eq!(parameters(sd), (686, 859_520_964));
        let xl = include_str!("../../../../configs/released/sdxl/unet.json");
        assert_eq!(parameters(xl), (1680, 2_567_463_684));
    }
}
