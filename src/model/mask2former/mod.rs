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
use std::f64::consts::PI;
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

/// Positions as sines and cosines, [rows · columns, width]: the first half encodes the row, and the second
/// half the column, both relative to the size of the map.
fn sine_positions(
    (rows, columns): (usize, usize),
    width: usize,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let half = width / 2;
    let axis = |length: usize| -> Vec<f32> {
        let part = |place: usize| (place + 1) as f64 / (length as f64 + 1e-6) * 2.0 * PI;
        let value = |place: usize, k: usize| {
            let angle = part(place) / 10_000f64.powf((k / 2 * 2) as f64 / half as f64);
            (if k.is_multiple_of(2) {
                angle.sin()
            } else {
                angle.cos()
            }) as f32
        };
        (0..length)
            .flat_map(|place| (0..half).map(move |k| value(place, k)))
            .collect()
    };
    let (down, across) = (axis(rows), axis(columns));
    let mut values = Vec::with_capacity(rows * columns * width);
    for row in down.chunks_exact(half) {
        for column in across.chunks_exact(half) {
            values.extend_from_slice(row);
            values.extend_from_slice(column);
        }
    }
    Tensor::from_vec(values, (rows * columns, 2 * half), device)
}

/// Bilinear with half-pixel centres and two taps per axis.
fn resized(map: &Tensor, (rows, columns): (usize, usize)) -> candle_core::Result<Tensor> {
    match map.dims4()? {
        (_, _, height, width) if (height, width) == (rows, columns) => Ok(map.clone()),
        _ => map.upsample_bilinear2d(rows, columns, false),
    }
}
