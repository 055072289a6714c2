//! CLIP with both towers, with the keys and the results of `CLIPModel` of transformers. The files of
//! open_clip are read under these names.
//!
//! Radford et al., arXiv 2103.00020; Cherti et al., arXiv 2212.07143 (OpenCLIP).

mod config;
mod open_clip;
mod text;
mod vision;

pub use config::ClipConfig;
pub use open_clip::{OpenClipConfig, OpenClipModelConfig, vision as open_clip_vision};
pub use text::{ClipText, ClipTextConfig, ClipTextStates, ProjectedText, ProjectedTextConfig};
pub use vision::{ClipVision, ClipVisionConfig};

use super::nn::{Linear, linear};
use super::weights::{Files, load, load_as};
use super::{ModelError, Result, Weights, read_config};
use candle_core::{D, DType, Device, Module, Tensor};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// A published configuration.
#[derive(Deserialize)]
#[serde(untagged)]
enum Published {
    OpenClip(OpenClipConfig),
    Transformers(ClipConfig),
}

/// Both towers with their projections.
#[derive(Debug, Clone)]
pub struct Clip {
    vision_model: ClipVision,
    text_model: ClipText,
    visual_projection: Linear,
    text_projection: Linear,
    /// The logarithm of the factor of cosines.
    logit_scale: Tensor,
    context: usize,
}

impl Clip {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if a size is wrong, and when [`Weights::get`] fails.
    pub fn new(config: &ClipConfig, weights: &Weights) -> Result<Self> {
        let (vision, text) = (&config.vision_config, &config.text_config);
        let project = |name: &str, width: usize| {
            linear(&weights.at(name), width, config.projection_dim, false)
        };
        Ok(Self {
            vision_model: ClipVision::new(vision, &weights.at("vision_model"))?,
            text_model: ClipText::new(text, weights)?,
            visual_projection: project("visual_projection", vision.hidden_size)?,
            text_projection: project("text_projection", text.hidden_size)?,
            logit_scale: weights.get("logit_scale", ())?,
            context: text.max_position_embeddings,
        })
    }

    /// Loads a checkpoint in the layout of transformers (`config.json`) or of open_clip
    /// (`open_clip_config.json`). `weights` is a file, or a folder with one file or with shards.
    ///
    /// # Errors
    /// Fails if a file is absent or damaged, or weights and configuration do not fit.
    pub fn open(config: &Path, weights: &Path, dtype: DType, device: &Device) -> Result<Self> {
        let files = Arc::new(Files::open(weights)?);
        match read_config(config)? {
            Published::OpenClip(config) => {
                Self::open_clip(&config.model_cfg, &files, dtype, device)
            }
            Published::Transformers(config) => {
                load(&files, dtype, device, |weights| Self::new(&config, weights))
            }
        }
    }

    /// Loads files with open_clip's keys.
    ///
    /// # Errors
    /// Fails if weights and configuration do not fit.
    pub fn open_clip(
        config: &OpenClipModelConfig,
        files: &Arc<Files>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let config = ClipConfig::from(config);
        load_as(files, dtype, device, open_clip::stored_place, |weights| {
            Self::new(&config, weights)
        })
    }

    /// Side of a picture, in pixels.
    pub fn image_size(&self) -> usize {
        self.vision_model.image_size()
    }

    /// Length of a text, in tokens.
    pub fn context(&self) -> usize {
        self.context
    }

    /// Pixels [B, 3, S, S] → [B, E], not normalised.
    ///
    /// # Errors
    /// Fails if the pictures are not of the network's size.
    pub fn image_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let pooled = self.vision_model.pooled(pixel_values)?;
        Ok(self.visual_projection.forward(&pooled)?)
    }

    /// Ids [B, L] → [B, E], not normalised.
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary, or the text is too long.
    pub fn text_features(&self, input_ids: &Tensor) -> Result<Tensor> {
        let pooled = self.text_model.forward(input_ids)?.pooled;
        Ok(self.text_projection.forward(&pooled)?)
    }

    /// The factor of cosines before a softmax.
    ///
    /// # Errors
    /// Fails if the stored value cannot be read.
    pub fn scale(&self) -> Result<f64> {
        let scale: f32 = self.logit_scale.to_dtype(DType::F32)?.to_scalar()?;
        match scale.exp() {
            exponential if exponential.is_finite() => Ok(f64::from(exponential)),
            _ => Err(ModelError::NotFinite {
                tensor: "exp(logit_scale)".into(),
            }),
        }
    }
}

/// Rows of unit length.
///
/// # Errors
/// Fails if the tensor has no axis.
pub fn normalise(features: &Tensor) -> Result<Tensor> {
    let length = features.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    Ok(features.broadcast_div(&length)?)
}
