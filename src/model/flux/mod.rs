//! The FLUX.1 transformer: a rectified-flow denoiser of latent images under a prompt.
//!
//! Black Forest Labs, "FLUX.1" (2024), after Esser et al., "Scaling Rectified Flow Transformers for
//! High-Resolution Image Synthesis" (arXiv 2403.03206). Follows `FluxTransformer2DModel` of diffusers.

pub mod bfl;
mod config;
mod double;
mod embeddings;
pub mod kontext;
pub mod latents;
mod modulation;
mod rope;
mod single;
#[cfg(test)]
mod tests;

pub use config::FluxConfig;
pub use double::{DoubleBlock, Heads, Modulated, Projections, Stream};
pub use embeddings::TimeTextEmbed;
pub use modulation::{Modulation, modulate};
pub use rope::Rope;
pub use single::SingleBlock;

use crate::model::count::counted;
use crate::model::nn::{Activation, Linear, linear};
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Module, Tensor};

/// The inputs that stay the same over all steps of a sampling: prompt, guidance and positions.
#[derive(Debug, Clone)]
pub struct Conditioning {
    /// Embedded text tokens [B, T, D].
    context: Tensor,
    /// Embedded pooled prompt and guidance [B, D].
    vector: Tensor,
    rope: Rope,
}

impl Conditioning {
    /// One prompt for `batch` latents.
    ///
    /// # Errors
    /// Fails if there is more than one prompt.
    pub fn repeat(&self, batch: usize) -> Result<Self> {
        let prompts = self.context.dim(0)?;
        if prompts != 1 {
            return Err(ModelError::Input(format!(
                "{prompts} prompts cannot be repeated to {batch}"
            )));
        }
        Ok(Self {
            context: self.context.repeat((batch, 1, 1))?,
            vector: self.vector.repeat((batch, 1))?,
            rope: self.rope.clone(),
        })
    }
}

/// The network.
#[derive(Debug)]
pub struct FluxTransformer {
    x_embedder: Linear,
    context_embedder: Linear,
    time_text_embed: TimeTextEmbed,
    transformer_blocks: Vec<DoubleBlock>,
    single_transformer_blocks: Vec<SingleBlock>,
    norm_out: Modulation,
    proj_out: Linear,
    axes: Vec<usize>,
    dtype: DType,
}

impl FluxTransformer {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`FluxConfig::check`] or [`Weights::get`] fails.
    pub fn new(config: &FluxConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let width = config.width();
        let at = |name: &str| weights.at(name);
        let double = |i| DoubleBlock::new(config, &at("transformer_blocks").at(i));
        let single = |i| SingleBlock::new(config, &at("single_transformer_blocks").at(i));
        Ok(Self {
            x_embedder: linear(&at("x_embedder"), config.in_channels, width, true)?,
            context_embedder: linear(
                &at("context_embedder"),
                config.joint_attention_dim,
                width,
                true,
            )?,
            time_text_embed: TimeTextEmbed::new(config, &at("time_text_embed"))?,
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

    /// Embeds the inputs that do not depend on the step: text tokens [B, T, J], pooled prompt [B, Q],
    /// guidance scale `[B]`, ids of the image tokens [N, 3] and of the text tokens [T, 3].
    ///
    /// # Errors
    /// Fails if shapes do not fit, or the network requires a guidance scale and there is none.
    pub fn prepare(
        &self,
        encoder_hidden_states: &Tensor,
        pooled_projections: &Tensor,
        guidance: Option<&Tensor>,
        img_ids: &Tensor,
        txt_ids: &Tensor,
    ) -> Result<Conditioning> {
        let (batch, length, _) = encoder_hidden_states.dims3()?;
        if txt_ids.dim(0)? != length {
            return Err(ModelError::Input(format!(
                "the prompt has {}, but the number of their position ids is {}",
                counted(length, "text token"),
                txt_ids.dim(0)?
            )));
        }
        same("pooled prompts", pooled_projections, batch)?;
        match guidance {
            Some(scale) => same("guidance scales", scale, batch)?,
            None if self.time_text_embed.guided() => {
                return Err(ModelError::Input(
                    "this network requires a guidance scale".into(),
                ));
            }
            None => {}
        }
        let ids = Tensor::cat(&[txt_ids, &img_ids.to_dtype(txt_ids.dtype())?], 0)?;
        let text = encoder_hidden_states.to_dtype(self.dtype)?;
        Ok(Conditioning {
            context: self.context_embedder.forward(&text)?,
            vector: self
                .time_text_embed
                .constant(pooled_projections, guidance)?,
            rope: Rope::new(&ids, &self.axes, text.device())?,
        })
    }

    /// The velocity [B, N, C] of packed latents [B, N, C] at sigma `[B]` (0 to 1). `added` [B, N, D] joins
    /// the image tokens after the last double block.
    ///
    /// # Errors
    /// Fails if shapes do not fit, or if the conditioning has another batch size.
    pub fn forward(
        &self,
        hidden_states: &Tensor,
        conditioning: &Conditioning,
        timestep: &Tensor,
        added: Option<&Tensor>,
    ) -> Result<Tensor> {
        let (batch, length, _) = hidden_states.dims3()?;
        let Conditioning {
            context,
            vector,
            rope,
        } = conditioning;
        same("timesteps", timestep, batch)?;
        same("prompts", context, batch)?;
        let texts = context.dim(1)?;
        if rope.length() != texts + length {
            return Err(ModelError::Input(format!(
                "there are {} positions for {texts} text tokens and {length} image tokens",
                rope.length()
            )));
        }
        let condition =
            Activation::Silu.apply(&(self.time_text_embed.time(timestep)? + vector)?)?;
        let mut image = self
            .x_embedder
            .forward(&hidden_states.to_dtype(self.dtype)?)?;
        let mut text = context.clone();
        for block in &self.transformer_blocks {
            (image, text) = block.forward(&image, &text, &condition, rope)?;
        }
        if let Some(added) = added {
            image = (image + added.to_dtype(self.dtype)?)?;
        }
        let mut joined = Tensor::cat(&[text, image], 1)?;
        for block in &self.single_transformer_blocks {
            joined = block.forward(&joined, &condition, rope)?;
        }
        let image = joined.narrow(1, texts, length)?.contiguous()?;
        let parts = self.norm_out.forward(&condition)?;
        Ok(self
            .proj_out
            .forward(&modulate(&image, &parts[0], &parts[1])?)?)
    }
}

/// Nothing is broadcast over the batch, since a wrong count would not be noticed.
fn same(what: &str, tensor: &Tensor, batch: usize) -> Result<()> {
    match tensor.dim(0)? {
        count if count == batch => Ok(()),
        count => Err(ModelError::Input(format!(
            "{count} {what} for a batch of {batch}"
        ))),
    }
}
