//! GOT-OCR2.0 (Wei et al., "General OCR Theory", arXiv 2409.01704), after transformers'
//! `GotOcr2ForConditionalGeneration`.
//!
//! Tensors have the names of the converted checkpoint (`vision_tower.*`, `multi_modal_projector.*`,
//! `language_model.model.*`) or those of the authors' (`model.vision_tower_high.*`,
//! `model.mm_projector_vary.*`, `model.*`).

mod config;
mod generate;
mod original;
mod vision;

pub use config::{GotConfig, TextConfig, VisionConfig};
pub use generate::Reading;

use super::nn::{Conv2d, Linear, linear};
use super::weights::{Files, load, load_as};
use super::{ModelError, Result, Weights};
use crate::model::count::counted;
use crate::model::qwen2::{Angles, Decoder};
use candle_core::{DType, Device, Module, Tensor};
use std::sync::Arc;
use vision::Vision;

/// Picture tower, projector and language model.
pub struct GotOcr2 {
    config: GotConfig,
    vision: Vision,
    conv_upsampler1: Conv2d,
    conv_upsampler2: Conv2d,
    multimodal_projector: Linear,
    language_model: Decoder,
    lm_head: Linear,
}

impl GotOcr2 {
    /// Loads a checkpoint of either layout.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has another shape.
    pub fn load(
        config: &GotConfig,
        files: &Arc<Files>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let build = |weights: &Weights| Self::new(config, weights);
        if original::is(files) {
            load_as(files, dtype, device, original::stored_place, build)
        } else {
            load(files, dtype, device, build)
        }
    }

    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has another shape.
    pub fn new(config: &GotConfig, weights: &Weights) -> Result<Self> {
        let (vision, text) = (&config.vision, &config.text);
        let language = weights.at("language_model");
        let decoder = Decoder::new(
            &text.layer(),
            text.vocab_size,
            text.num_hidden_layers,
            &language.at("model"),
        )?;
        let projector = weights.at("multi_modal_projector");
        let (narrow, wide) = (vision.output_channels, text.hidden_size);
        let conv = |name: &str, input, output| {
            Conv2d::without_bias(&projector.at(name), (input, output), 3, 2)
        };
        Ok(Self {
            vision: Vision::new(vision, &weights.at("vision_tower"))?,
            conv_upsampler1: conv("conv_upsampler1", narrow, 2 * narrow)?,
            conv_upsampler2: conv("conv_upsampler2", 2 * narrow, wide)?,
            multimodal_projector: linear(&projector.at("multimodal_projector"), wide, wide, true)?,
            lm_head: if text.tied() {
                Linear::new(decoder.embed_tokens.embeddings().clone(), None)
            } else {
                linear(&language.at("lm_head"), wide, text.vocab_size, false)?
            },
            language_model: decoder,
            config: config.clone(),
        })
    }

    /// The configuration that the model was built from.
    pub fn config(&self) -> &GotConfig {
        &self.config
    }

    /// The vectors of pictures [B, 3, S, S], in raster order: [B, image tokens, D].
    ///
    /// # Errors
    /// Fails if the pictures have another size.
    pub fn image_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let x = self.vision.forward(pixel_values)?;
        let x = self.conv_upsampler1.forward(&x)?;
        let x = self.conv_upsampler2.forward(&x)?;
        let x = x.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        Ok(self.multimodal_projector.forward(&x)?)
    }

    /// Token vectors [1, L, D] of a prompt; `image_features` [B, N, D] replace the image tokens.
    fn embed(&self, input_ids: &[u32], image_features: &Tensor) -> Result<Tensor> {
        let device = image_features.device();
        let words = self.config.text.vocab_size;
        if let Some(id) = input_ids.iter().find(|id| **id as usize >= words) {
            return Err(ModelError::Input(format!(
                "the id {id} is outside the vocabulary of {words} tokens"
            )));
        }
        let vectors = image_features.flatten_to(1)?;
        let places = input_ids
            .iter()
            .filter(|id| **id == self.config.image_token);
        let (places, rows) = (places.count(), vectors.dim(0)?);
        if places != rows {
            return Err(ModelError::Input(format!(
                "the prompt has {}, but the number of vectors of the pictures is {rows}",
                counted(places, "image token")
            )));
        }
        let embeds = self
            .language_model
            .embed_tokens
            .forward(&Tensor::new(input_ids, device)?)?;
        // Words come from the first table, pictures from the second.
        let table = Tensor::cat(&[&embeds, &vectors.to_dtype(embeds.dtype())?], 0)?;
        let mut next = input_ids.len() as u32;
        let rows = input_ids.iter().enumerate().map(|(at, id)| {
            if *id == self.config.image_token {
                next += 1;
                return next - 1;
            }
            at as u32
        });
        let rows = Tensor::new(rows.collect::<Vec<_>>(), device)?;
        Ok(table.index_select(&rows, 0)?.unsqueeze(0)?)
    }

    fn angles(&self, start: usize, length: usize, device: &Device) -> Result<Angles> {
        let text = &self.config.text;
        Angles::plain(
            start..start + length,
            text.rope_theta(),
            text.head_dim() / 2,
            device,
        )
    }

    /// Scores of the token that follows hidden states [1, L, D]: [1, V].
    fn next(&self, hidden: &Tensor) -> Result<Tensor> {
        let last = hidden.narrow(1, hidden.dim(1)? - 1, 1)?;
        Ok(self.lm_head.forward(&last.squeeze(1)?.contiguous()?)?)
    }

    /// Scores of the token that follows a prompt, [1, V].
    ///
    /// # Errors
    /// Fails if image tokens and `image_features` do not agree, or an id is outside the vocabulary.
    pub fn logits(&self, input_ids: &[u32], image_features: &Tensor) -> Result<Tensor> {
        let embeds = self.embed(input_ids, image_features)?;
        let angles = self.angles(0, input_ids.len(), embeds.device())?;
        self.next(&self.language_model.forward(&embeds, &angles, None)?)
    }
}
