//! The denoiser of the Chinese checkpoint: a FLUX transformer without text. In its first blocks, the image
//! attends to itself, and the result of the attention is not projected.
//!
//! The files contain those projections (`attn.to_out`) and sometimes a `context_embedder`. Neither is
//! applied.

use crate::model::flux::{
    FluxConfig, Modulation, Rope, SingleBlock, Stream, TimeTextEmbed, modulate,
};
use crate::model::nn::{Linear, linear};
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Module, Tensor};

/// The network.
#[derive(Debug)]
pub(super) struct ImageFlux {
    x_embedder: Linear,
    time_text_embed: TimeTextEmbed,
    /// A learned pooled prompt, [1, Q].
    pooled_embeds: Tensor,
    transformer_blocks: Vec<Stream>,
    single_transformer_blocks: Vec<SingleBlock>,
    norm_out: Modulation,
    proj_out: Linear,
    axes: Vec<usize>,
    dtype: DType,
}

/// The inputs that stay the same over all steps.
#[derive(Debug, Clone)]
pub(super) struct ImageConditioning {
    vector: Tensor,
    rope: Rope,
}

impl ImageFlux {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`FluxConfig::check`] or [`Weights::get`] fails.
    pub(super) fn new(config: &FluxConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let width = config.width();
        let at = |name: &str| weights.at(name);
        let double = |i| Stream::alone(config, &at("transformer_blocks").at(i));
        let single = |i| SingleBlock::new(config, &at("single_transformer_blocks").at(i));
        Ok(Self {
            x_embedder: linear(&at("x_embedder"), config.in_channels, width, true)?,
            time_text_embed: TimeTextEmbed::new(config, &at("time_text_embed"))?,
            pooled_embeds: weights.get("pooled_embeds", (1, config.pooled_projection_dim))?,
            transformer_blocks: (0..config.num_layers).map(double).collect::<Result<_>>()?,
            single_transformer_blocks: (0..config.num_single_layers)
                .map(single)
                .collect::<Result<_>>()?,
            norm_out: Modulation::new(&at("norm_out"), width, 2)?,
            proj_out: linear(&at("proj_out"), width, config.output(), true)?,
            axes: config.axes_dims_rope.clone(),
            dtype: weights.dtype(),
        })
    }

    /// Embeds the inputs that do not depend on the step: guidance scale `[1]` and ids of the image tokens [N,
    /// 3].
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub(super) fn prepare(
        &self,
        guidance: Option<&Tensor>,
        img_ids: &Tensor,
    ) -> Result<ImageConditioning> {
        Ok(ImageConditioning {
            vector: self
                .time_text_embed
                .constant(&self.pooled_embeds, guidance)?,
            rope: Rope::new(img_ids, &self.axes, img_ids.device())?,
        })
    }

    /// The velocity [1, N, C] of packed latents [1, N, C] at sigma `[1]`. `added` [1, N, D] joins the tokens
    /// after the blocks without projection.
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub(super) fn forward(
        &self,
        hidden_states: &Tensor,
        conditioning: &ImageConditioning,
        timestep: &Tensor,
        added: Option<&Tensor>,
    ) -> Result<Tensor> {
        let ImageConditioning { vector, rope } = conditioning;
        let length = hidden_states.dim(1)?;
        if rope.length() != length {
            return Err(ModelError::Input(format!(
                "there are {} positions for {length} image tokens",
                rope.length()
            )));
        }
        let condition = (self.time_text_embed.time(timestep)? + vector)?.silu()?;
        let mut x = self
            .x_embedder
            .forward(&hidden_states.to_dtype(self.dtype)?)?;
        for block in &self.transformer_blocks {
            let own = block.before(&x, &condition)?;
            x = block.after(&x, &own.heads.attend(rope)?, &own)?;
        }
        if let Some(added) = added {
            x = (x + added.to_dtype(self.dtype)?)?;
        }
        for block in &self.single_transformer_blocks {
            x = block.forward(&x, &condition, rope)?;
        }
        let parts = self.norm_out.forward(&condition)?;
        Ok(self
            .proj_out
            .forward(&modulate(&x, &parts[0], &parts[1])?)?)
    }
}
