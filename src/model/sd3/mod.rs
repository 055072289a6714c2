//! The transformer of Stable Diffusion 3 and 3.5, with the keys and the results of `SD3Transformer2DModel` of
//! diffusers.
//!
//! Esser et al., arXiv 2403.03206. `mmdit` of candle-transformers is not used: it casts the embedding of the
//! time to f16, so that it runs in no other format, it wants the names of Stability's single files, and it
//! takes the width from the depth. The case `sd3_transformer` is in diffusers' names and in f32.

mod block;
mod config;
mod prompt;

pub use config::Sd3Config;
pub use prompt::{Sd3Prompt, guided};

use super::flux::{Modulation, modulate};
use super::nn::{Activation, Embedder, Linear, PatchEmbedding, Sinusoid, linear};
use super::{ModelError, Result, Weights};
use block::Block;
use candle_core::{DType, Module, Tensor};

/// Width of the sinusoid of a time.
const SINUSOID: usize = 256;

/// The network.
#[derive(Debug)]
pub struct Sd3Transformer {
    patches: PatchEmbedding,
    /// [1, side · side, D]
    pos_embed: Tensor,
    timestep_embedder: Embedder,
    text_embedder: Embedder,
    context_embedder: Linear,
    transformer_blocks: Vec<Block>,
    norm_out: Modulation,
    proj_out: Linear,
    config: Sd3Config,
    dtype: DType,
}

impl Sd3Transformer {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if the configuration is of another kind of network, and when [`Weights::get`] fails.
    pub fn new(config: &Sd3Config, weights: &Weights) -> Result<Self> {
        config.check()?;
        let (width, patch) = (config.width(), config.patch_size);
        let at = |name: &str| weights.at(name);
        let positions = config.pos_embed_max_size * config.pos_embed_max_size;
        let embedder = |name: &str, input| {
            let at = weights.at("time_text_embed").at(name);
            Embedder::new(&at, input, width)
        };
        let block = |index| Block::new(config, &at("transformer_blocks").at(index), index);
        let context = at("context_embedder");
        let output = patch * patch * config.output();
        Ok(Self {
            patches: PatchEmbedding::new(
                &at("pos_embed.proj"),
                config.in_channels,
                width,
                patch,
                true,
            )?,
            pos_embed: at("pos_embed").get("pos_embed", (1, positions, width))?,
            timestep_embedder: embedder("timestep_embedder", SINUSOID)?,
            text_embedder: embedder("text_embedder", config.pooled_projection_dim)?,
            context_embedder: linear(&context, config.joint_attention_dim, width, true)?,
            transformer_blocks: (0..config.num_layers).map(block).collect::<Result<_>>()?,
            norm_out: Modulation::new(&at("norm_out"), width, 2)?,
            proj_out: linear(&at("proj_out"), width, output, true)?,
            config: config.clone(),
            dtype: weights.dtype(),
        })
    }

    /// The velocity [B, c, h, w] of latents of the same shape at the times `[B]` (0 to 1000, f32), for the
    /// prompts' states [B, L, J] and pooled vectors [B, Q].
    ///
    /// # Errors
    /// Fails if a shape does not fit, or the latents are larger than the table of positions.
    pub fn forward(
        &self,
        latents: &Tensor,
        timestep: &Tensor,
        context: &Tensor,
        pooled: &Tensor,
    ) -> Result<Tensor> {
        let (_, _, height, width) = latents.dims4()?;
        let patch = self.config.patch_size;
        if height % patch != 0 || width % patch != 0 {
            return Err(ModelError::Input(format!(
                "latents of {width} × {height} cells cannot be divided into tokens of {patch} × {patch}"
            )));
        }
        let (h, w) = (height / patch, width / patch);
        let mut picture = self
            .patches
            .forward(latents)?
            .broadcast_add(&self.positions(h, w)?)?;
        let sinusoid = Sinusoid::default().of(timestep, SINUSOID)?;
        let time = self
            .timestep_embedder
            .forward(&sinusoid.to_dtype(self.dtype)?)?;
        let pooled = self.text_embedder.forward(&pooled.to_dtype(self.dtype)?)?;
        let condition = Activation::Silu.apply(&(time + pooled)?)?;
        let mut text = self
            .context_embedder
            .forward(&context.to_dtype(self.dtype)?)?;
        for block in &self.transformer_blocks {
            (picture, text) = block.forward(&picture, &text, &condition)?;
        }
        let parts = self.norm_out.forward(&condition)?;
        let tokens = self
            .proj_out
            .forward(&modulate(&picture, &parts[0], &parts[1])?)?;
        self.cells(&tokens, h, w)
    }

    /// The middle of the table of positions, [1, h · w, D].
    fn positions(&self, h: usize, w: usize) -> Result<Tensor> {
        let side = self.config.pos_embed_max_size;
        if h > side || w > side {
            return Err(ModelError::Input(format!(
                "{w} × {h} tokens are more than the table of positions has, {side} × {side}"
            )));
        }
        let table = self.pos_embed.reshape((1, side, side, ()))?;
        let middle = table
            .narrow(1, (side - h) / 2, h)?
            .narrow(2, (side - w) / 2, w)?;
        Ok(middle.contiguous()?.reshape((1, h * w, ()))?)
    }

    /// [B, h · w, p · p · c] → [B, c, h · p, w · p].
    fn cells(&self, tokens: &Tensor, h: usize, w: usize) -> Result<Tensor> {
        let (batch, _, _) = tokens.dims3()?;
        let (patch, channels) = (self.config.patch_size, self.config.output());
        let cells = tokens.reshape(vec![batch, h, w, patch, patch, channels])?;
        let cells = cells.permute(vec![0, 5, 1, 3, 2, 4])?;
        Ok(cells.reshape((batch, channels, h * patch, w * patch))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::audit;

    // diffusers counts the parameters without the table of positions.
    #[test]
    fn the_released_networks_have_the_published_numbers_of_parameters() {
        for (text, parameters) in [
            (
                include_str!("../../../configs/released/sd3.5-medium/transformer.json"),
                2_243_171_520,
            ),
            (
                include_str!("../../../configs/released/sd3.5-large/transformer.json"),
                8_056_627_520,
            ),
        ] {
            let config: Sd3Config = serde_json::from_str(text).unwrap();
            let asked = audit(None, |weights| Sd3Transformer::new(&config, weights)).unwrap();
            let size = |shape: &[usize]| shape.iter().product::<usize>();
            let counted = asked
                .iter()
                .filter(|asked| asked.name != "pos_embed.pos_embed");
            let total: usize = counted.map(|asked| size(&asked.shape)).sum();
            assert_eq!(total, parameters);
        }
    }
}
