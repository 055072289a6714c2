//! Qwen2.5-VL (Bai et al., "Qwen2.5-VL Technical Report", arXiv 2502.13923), after transformers'
//! `Qwen2_5_VLForConditionalGeneration`; still images only.
//!
//! Tensors have the hub's names (`visual.*`, `model.*`, `lm_head.weight`) or those that newer libraries write
//! (`model.visual.*`, `model.language_model.*`, `lm_head.weight`).

mod batch;
mod config;
mod conversation;
mod generate;
mod positions;
mod splice;
mod vision;
mod windows;

#[cfg(test)]
mod tests;

pub use config::{Qwen2_5VlConfig, TextConfig, VisionConfig};
pub use conversation::Conversation;
pub use generate::Greedy;
pub(crate) use generate::Penalty;
pub use positions::Positions;
pub(crate) use positions::vision_angles;
pub(crate) use splice::Prompt;

use super::nn::{Linear, linear};
use super::{ModelError, Result, Weights};
use crate::model::qwen2::{Angles, Decoder};
use candle_core::{Module, Tensor};
use vision::Vision;

/// The vision tower and the language model. The output layer is optional and only needed for text, and the
/// vision tower is optional and only needed for pictures.
pub struct Qwen2_5Vl {
    config: Qwen2_5VlConfig,
    vision: Option<Vision>,
    text: Decoder,
    lm_head: Option<Linear>,
}

impl Qwen2_5Vl {
    /// The whole model.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has another shape.
    pub fn new(config: &Qwen2_5VlConfig, weights: &Weights) -> Result<Self> {
        let mut model = Self::encoder(config, weights)?;
        let (hidden, words) = (config.text.hidden_size, config.text.vocab_size);
        model.lm_head = Some(if config.tie_word_embeddings {
            Linear::new(model.text.embed_tokens.embeddings().clone(), None)
        } else {
            linear(&weights.at("lm_head"), hidden, words, false)?
        });
        Ok(model)
    }

    /// The model without its output layer, which gives hidden states but no text.
    ///
    /// # Errors
    /// Fails when [`Qwen2_5Vl::new`] fails.
    pub fn encoder(config: &Qwen2_5VlConfig, weights: &Weights) -> Result<Self> {
        Self::build(config, weights, true)
    }

    /// The language model alone, which gives hidden states of words.
    ///
    /// # Errors
    /// Fails when [`Qwen2_5Vl::new`] fails.
    pub fn without_vision(config: &Qwen2_5VlConfig, weights: &Weights) -> Result<Self> {
        Self::build(config, weights, false)
    }

    fn build(config: &Qwen2_5VlConfig, weights: &Weights, sees: bool) -> Result<Self> {
        let place = |probe: &str, new: &str, old: &str| {
            let name = if weights.at(new).has(probe) { new } else { old };
            weights.at(name)
        };
        let visual = place("patch_embed.proj.weight", "model.visual", "visual");
        let model = place("embed_tokens.weight", "model.language_model", "model");
        Ok(Self {
            vision: sees
                .then(|| Vision::new(&config.vision, &visual))
                .transpose()?,
            text: Decoder::new(
                &config.text.layer(),
                config.text.vocab_size,
                config.text.num_hidden_layers,
                &model,
            )?,
            lm_head: None,
            config: config.clone(),
        })
    }

    /// The configuration that the model was built from.
    pub fn config(&self) -> &Qwen2_5VlConfig {
        &self.config
    }

    /// The vectors that replace image tokens, in the order of the tokens.
    ///
    /// `pixel_values` [P, C·T·p·p] has the patches of all images in the processor's order (squares of merged
    /// patches stay together), `grids` their (t, h, w) in patches → [sum of t·h·w / merge², D].
    ///
    /// # Errors
    /// Fails if the number or size of patches is not that of the grids, a grid does not split into merged
    /// patches, or the model was built without vision tower.
    pub fn image_embeds(&self, pixel_values: &Tensor, grids: &[[usize; 3]]) -> Result<Tensor> {
        let vision = self.vision.as_ref().ok_or_else(|| {
            let message = "the language model was loaded without its vision tower";
            ModelError::Input(message.into())
        })?;
        vision.forward(pixel_values, grids)
    }

    /// Rotary positions of a prompt.
    ///
    /// # Errors
    /// Fails if its image tokens are not those of the grids.
    pub fn positions(&self, input_ids: &[u32], grids: &[[usize; 3]]) -> Result<Positions> {
        Positions::new(&self.config, input_ids, grids)
    }

    /// Hidden states of all positions after the final norm, [1, L, D].
    ///
    /// # Errors
    /// Fails if image tokens, `image_embeds` and `grids` do not agree, or an id is outside the vocabulary.
    pub fn hidden_states(
        &self,
        input_ids: &[u32],
        image_embeds: Option<&Tensor>,
        grids: &[[usize; 3]],
    ) -> Result<Tensor> {
        let positions = self.positions(input_ids, grids)?;
        let embeds = self.embed(input_ids, image_embeds)?;
        self.text
            .forward(&embeds, &self.angles(&positions.tokens)?, None)
    }

    /// Scores of the token that follows the last position: hidden states [1, L, D] → [1, V].
    ///
    /// # Errors
    /// Fails if the model was built without output layer.
    pub fn logits(&self, hidden_states: &Tensor) -> Result<Tensor> {
        let head = self.head()?;
        let length = hidden_states.dim(1)?;
        if length == 0 {
            return Err(ModelError::Input("there are no hidden states".into()));
        }
        let last = hidden_states.narrow(1, length - 1, 1)?.squeeze(1)?;
        Ok(head.forward(&last.contiguous()?)?)
    }

    fn head(&self) -> Result<&Linear> {
        self.lm_head.as_ref().ok_or_else(|| {
            let message = "the language model was loaded without its output layer";
            ModelError::Input(message.into())
        })
    }

    fn angles(&self, tokens: &[[u32; 3]]) -> Result<Angles> {
        let config = &self.config.text;
        let device = self.text.embed_tokens.embeddings().device();
        positions::text_angles(tokens, config.theta(), &config.sections(), device)
    }

    /// Token vectors [1, L, D], in which the vectors of images replace the image tokens.
    fn embed(&self, ids: &[u32], images: Option<&Tensor>) -> Result<Tensor> {
        let prompt = Prompt {
            ids,
            image_token: self.config.image_token_id,
        };
        let given = images.map_or(Ok(0), |images| images.dim(0))?;
        prompt.check(self.config.text.vocab_size, given)?;
        let table = self.text.embed_tokens.embeddings();
        let plain = self
            .text
            .embed_tokens
            .forward(&Tensor::new(ids, table.device())?)?;
        let Some(images) = images.filter(|_| given > 0) else {
            return Ok(plain.unsqueeze(0)?);
        };
        prompt.splice(images, &plain)
    }
}
