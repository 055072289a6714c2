//! Mask2Former with a Swin backbone, for instances, with the keys and the results of
//! `Mask2FormerForUniversalSegmentation` of transformers. The files of mmdetection are read under these
//! names.
//!
//! Cheng et al., arXiv 2112.01527. Masks limit the attention by a hard threshold, so the network computes in
//! f32.

mod config;
mod decoder;
mod deformable;
mod instances;
mod maps;
mod mmdet;
mod pixel_decoder;
mod swin;

pub use config::Mask2FormerConfig;
pub use instances::{Instance, Logits};

use super::weights::{Files, load, load_as};
use super::{ModelError, Result, Weights};
use candle_core::{DType, Device, Tensor};
use decoder::MaskedDecoder;
use pixel_decoder::PixelDecoder;
use std::sync::Arc;
use swin::Swin;

/// Both sides of a picture must be multiples of this number of pixels.
pub const STRIDE: usize = 32;

/// The network.
#[derive(Debug, Clone)]
pub struct Mask2Former {
    encoder: Swin,
    pixel_decoder: PixelDecoder,
    decoder: MaskedDecoder,
}

/// The network's result for pictures.
#[derive(Debug, Clone)]
pub struct Masks {
    /// [B, Q, K + 1]; the last class means no object.
    pub class_queries_logits: Tensor,
    /// [B, Q, H / 4, W / 4]
    pub masks_queries_logits: Tensor,
    /// [B, F, H / 4, W / 4]
    pub mask_features: Tensor,
}

impl Mask2Former {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if the configuration is wrong, and when [`Weights::get`] fails.
    pub fn new(config: &Mask2FormerConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let module = weights.at("model.pixel_level_module");
        Ok(Self {
            encoder: Swin::new(&config.backbone_config, &module.at("encoder"))?,
            pixel_decoder: PixelDecoder::new(config, &module.at("decoder"))?,
            decoder: MaskedDecoder::new(config, weights)?,
        })
    }

    /// Loads files with the keys of transformers or of mmdetection.
    ///
    /// # Errors
    /// Fails if weights and configuration do not fit.
    pub fn load(config: &Mask2FormerConfig, files: &Arc<Files>, device: &Device) -> Result<Self> {
        let build = |weights: &Weights| Self::new(config, weights);
        match mmdet::version(files) {
            Some(version) => load_as(
                files,
                DType::F32,
                device,
                |n| version.stored_place(n),
                build,
            ),
            None => load(files, DType::F32, device, build),
        }
    }

    /// Normalised pixels [B, 3, H, W], both sides multiples of 32.
    ///
    /// # Errors
    /// Fails if the shape does not fit.
    pub fn forward(&self, pixel_values: &Tensor) -> Result<Masks> {
        let (_, _, height, width) = pixel_values.dims4()?;
        if height == 0 || width == 0 || height % STRIDE != 0 || width % STRIDE != 0 {
            return Err(ModelError::Input(format!(
                "Mask2Former requires sides that are multiples of {STRIDE} pixels, not {width} × {height}"
            )));
        }
        let decoded = self
            .pixel_decoder
            .forward(&self.encoder.forward(pixel_values)?)?;
        let (class_queries_logits, masks_queries_logits) = self.decoder.forward(&decoded)?;
        Ok(Masks {
            class_queries_logits,
            masks_queries_logits,
            mask_features: decoded.mask_features,
        })
    }
}
