//! The diffusion decoder: a FLUX transformer that adds the picture's codes to its image tokens between the
//! two kinds of blocks. English checkpoints keep FLUX's text, and the Chinese one has no text.

use super::image_flux::{ImageConditioning, ImageFlux};
use crate::model::flux::{Conditioning, FluxConfig, FluxTransformer, latents};
use crate::model::nn::{Linear, linear};
use crate::model::weights::Files;
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Module, Tensor};

/// The network, of either kind.
#[derive(Debug)]
pub struct XOmniDecoder {
    siglip_embed: Linear,
    transformer: Kind,
    dtype: DType,
}

#[derive(Debug)]
enum Kind {
    WithText(Box<FluxTransformer>),
    ImageOnly(Box<ImageFlux>),
}

/// The condition of the decoder: the features of the codes and, if it reads text, the prompt.
#[derive(Debug, Clone, Copy, Default)]
pub struct Condition<'a> {
    /// [1, N, Z]. `None` adds nothing, as in an unconditional branch.
    pub features: Option<&'a Tensor>,
    /// T5's states [1, T, J] and CLIP's pooled vector [1, Q].
    pub text: Option<(&'a Tensor, &'a Tensor)>,
}

/// The inputs that stay the same over all steps of one branch.
#[derive(Debug, Clone)]
pub struct Steady {
    added: Option<Tensor>,
    kind: SteadyKind,
}

#[derive(Debug, Clone)]
enum SteadyKind {
    WithText(Conditioning),
    ImageOnly(ImageConditioning),
}

impl XOmniDecoder {
    /// Whether these are the weights of the kind without text.
    pub fn is_image_only(files: &Files) -> bool {
        files.holds(&["pooled_embeds"])
    }

    /// Loads the tensors. `features` is the width of the codes' features. [`Self::is_image_only`] decides the
    /// kind.
    ///
    /// # Errors
    /// Fails when [`FluxTransformer::new`] fails.
    pub fn new(
        config: &FluxConfig,
        features: usize,
        image_only: bool,
        weights: &Weights,
    ) -> Result<Self> {
        let embed = weights.at("siglip_embed");
        Ok(Self {
            siglip_embed: linear(&embed, features, config.width(), false)?,
            transformer: if image_only {
                Kind::ImageOnly(Box::new(ImageFlux::new(config, weights)?))
            } else {
                Kind::WithText(Box::new(FluxTransformer::new(config, weights)?))
            },
            dtype: weights.dtype(),
        })
    }

    /// Embeds the inputs that do not depend on the step, for a picture of h × w tokens.
    ///
    /// # Errors
    /// Fails if shapes do not fit, or a decoder that reads text gets none.
    pub fn prepare(
        &self,
        condition: Condition<'_>,
        guidance: &Tensor,
        img_ids: &Tensor,
    ) -> Result<Steady> {
        let embed = |features: &Tensor| self.siglip_embed.forward(&features.to_dtype(self.dtype)?);
        let kind = match (&self.transformer, condition.text) {
            (Kind::ImageOnly(network), _) => {
                SteadyKind::ImageOnly(network.prepare(Some(guidance), img_ids)?)
            }
            (Kind::WithText(network), Some((states, pooled))) => {
                let txt_ids = latents::text_ids(states.dim(1)?, states.device())?;
                let guidance = Some(guidance);
                SteadyKind::WithText(network.prepare(states, pooled, guidance, img_ids, &txt_ids)?)
            }
            (Kind::WithText(_), None) => {
                return Err(ModelError::Input(
                    "this decoder requires the prompt, and there is none".into(),
                ));
            }
        };
        Ok(Steady {
            added: condition.features.map(embed).transpose()?,
            kind,
        })
    }

    /// The velocity [1, N, C] of packed latents [1, N, C] at sigma `[1]`.
    ///
    /// # Errors
    /// Fails if shapes do not fit, or if `steady` belongs to the other kind.
    pub fn forward(
        &self,
        hidden_states: &Tensor,
        steady: &Steady,
        timestep: &Tensor,
    ) -> Result<Tensor> {
        let added = steady.added.as_ref();
        match (&self.transformer, &steady.kind) {
            (Kind::WithText(network), SteadyKind::WithText(conditioning)) => {
                network.forward(hidden_states, conditioning, timestep, added)
            }
            (Kind::ImageOnly(network), SteadyKind::ImageOnly(conditioning)) => {
                network.forward(hidden_states, conditioning, timestep, added)
            }
            _ => Err(ModelError::Input(
                "the prepared inputs belong to another decoder".into(),
            )),
        }
    }
}
