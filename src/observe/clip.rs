//! CLIP for observers. It turns pictures and texts into unit vectors, one at a time, so that no result
//! depends on the others of a batch.

use super::source::Checkpoint;
use crate::model::clip::{Clip, OpenClipConfig, normalise};
use crate::model::processor::CroppedProcessor;
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Files;
use crate::model::{ModelError, Result};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use std::path::Path;
use std::sync::Arc;

/// The network with its tokenizer and transform.
pub(super) struct ClipEncoder {
    clip: Clip,
    tokenizer: Tokenizer,
    processor: CroppedProcessor,
    device: Device,
}

impl ClipEncoder {
    /// Loads the network in f32.
    ///
    /// # Errors
    /// Fails if a file is absent or damaged.
    pub(super) fn open(checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        let absent = |what: &str| {
            ModelError::file(
                &checkpoint.weights,
                format!("there is no {what} next to these weights"),
                "give the folder of the whole checkpoint: config.json (or open_clip_config.json), weights, tokenizer.json",
            )
        };
        let config = checkpoint
            .config
            .as_deref()
            .ok_or_else(|| absent("configuration"))?;
        let tokenizer = checkpoint
            .tokenizer
            .as_deref()
            .ok_or_else(|| absent("tokenizer"))?;
        let clip = Clip::open(config, &checkpoint.weights, DType::F32, device)?;
        Self::new(clip, tokenizer, device)
    }

    /// Loads open_clip's weights with a configuration that the program has.
    ///
    /// # Errors
    /// Fails if a file is absent or damaged.
    pub(super) fn open_clip(
        checkpoint: &Checkpoint,
        config: &OpenClipConfig,
        device: &Device,
    ) -> Result<Self> {
        let files = Arc::new(Files::open(&checkpoint.weights)?);
        let clip = Clip::open_clip(&config.model_cfg, &files, DType::F32, device)?;
        let tokenizer = checkpoint.tokenizer.as_deref();
        Self::new(clip, tokenizer.unwrap_or(&checkpoint.weights), device)
    }

    fn new(clip: Clip, tokenizer: &Path, device: &Device) -> Result<Self> {
        let size = u32::try_from(clip.image_size())
            .map_err(|_| ModelError::Input("`image_size` is too large".into()))?;
        Ok(Self {
            processor: CroppedProcessor::clip(size),
            tokenizer: Tokenizer::open(tokenizer)?,
            clip,
            device: device.clone(),
        })
    }

    /// The unit vector of a picture.
    ///
    /// # Errors
    /// Fails if the device fails.
    pub(super) fn image(&self, image: &RgbImage) -> Result<Vec<f32>> {
        let pixels = self.processor.prepare(image)?;
        self.pixels(&pixels)
    }

    /// The same as [`Self::image`], for a picture that is already prepared, as a tensor of the shape [3, S,
    /// S].
    ///
    /// # Errors
    /// Fails if the device fails.
    pub(super) fn pixels(&self, pixels: &Tensor) -> Result<Vec<f32>> {
        let pixels = pixels.unsqueeze(0)?.to_device(&self.device)?;
        vector(&self.clip.image_features(&pixels)?)
    }

    /// The side of a prepared picture, in pixels.
    pub(super) fn image_size(&self) -> u32 {
        self.processor.size
    }

    /// The factor of cosines before a softmax.
    ///
    /// # Errors
    /// Fails if the stored value cannot be read.
    pub(super) fn scale(&self) -> Result<f64> {
        self.clip.scale()
    }

    /// The unit vector of a text. A text that is too long loses its end.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot represent the text.
    pub(super) fn text(&self, text: &str) -> Result<Vec<f32>> {
        let ids = self.tokenizer.clip_ids(text, self.clip.context())?.ids;
        let length = ids.len();
        let ids = Tensor::from_vec(ids, (1, length), &self.device)?;
        vector(&self.clip.text_features(&ids)?)
    }
}

fn vector(features: &Tensor) -> Result<Vec<f32>> {
    let vector: Vec<f32> = normalise(features)?.squeeze(0)?.to_vec1()?;
    if vector.iter().all(|value| value.is_finite()) {
        return Ok(vector);
    }
    Err(ModelError::NotFinite {
        tensor: "CLIP's output".into(),
    })
}

/// The cosine of two unit vectors.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
