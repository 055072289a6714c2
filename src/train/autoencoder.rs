//! The frozen autoencoder between pictures and the latents that a denoiser learns on.

use super::sources::files;
use super::{TrainError, samples};
use crate::model::flux::latents;
use crate::model::flux_vae::{Decoder, Encoder, VaeConfig};
use crate::model::noise::{Generator, randn};
use crate::model::{read_config, weights};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use std::path::{Path, PathBuf};

/// How many pictures are encoded or decoded at a time.
const BATCH: usize = 64;

/// An autoencoder of a checkpoint in diffusers' layout.
pub(super) struct Autoencoder {
    encoder: Encoder,
    decoder: Decoder,
    folder: PathBuf,
    device: Device,
    channels: usize,
    scale_factor: usize,
}

/// Mean and standard deviation of the latents of pictures, [B, c, h, w] each.
pub(super) struct Moments {
    mean: Tensor,
    deviation: Tensor,
}

impl Autoencoder {
    /// # Errors
    /// Fails if the folder holds no autoencoder.
    pub(super) fn open(folder: &Path, device: &Device) -> Result<Self, TrainError> {
        let config: VaeConfig = read_config(&folder.join("config.json"))?;
        let files = files(folder)?;
        let (encoder, decoder) = weights::load(&files, DType::F32, device, |weights| {
            Ok((
                Encoder::new(&config, weights)?,
                Decoder::new(&config, weights)?,
            ))
        })?;
        Ok(Self {
            encoder,
            decoder,
            folder: folder.to_owned(),
            device: device.clone(),
            channels: config.latent_channels,
            scale_factor: config.scale_factor(),
        })
    }

    /// The folder that it was read from.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Pixels of a token's side.
    pub(super) fn token(&self) -> usize {
        2 * self.scale_factor
    }

    /// Pixels of a cell's side.
    pub(super) fn scale_factor(&self) -> usize {
        self.scale_factor
    }

    /// Channels of the latents.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Numbers of a token.
    pub(super) fn width(&self) -> usize {
        4 * self.channels
    }

    /// What the latents of pictures are drawn from.
    ///
    /// # Errors
    /// Fails if the pictures have sizes that do not divide.
    pub(super) fn moments(&self, pictures: &[RgbImage]) -> Result<Moments, TrainError> {
        let (mut means, mut deviations) = (Vec::new(), Vec::new());
        for pictures in pictures.chunks(BATCH) {
            let moments = self
                .encoder
                .moments(&samples::batch(pictures, &self.device)?)?;
            let moments = moments.detach();
            let variance = moments.narrow(1, self.channels, self.channels)?;
            means.push(moments.narrow(1, 0, self.channels)?);
            deviations.push((variance.clamp(-30f32, 20f32)? * 0.5)?.exp()?);
        }
        Ok(Moments {
            mean: Tensor::cat(&means, 0)?,
            deviation: Tensor::cat(&deviations, 0)?,
        })
    }

    /// Packed latents [B, N, 4c], scaled, drawn again.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(super) fn draw(
        &self,
        moments: &Moments,
        generator: &mut Generator,
    ) -> Result<Tensor, TrainError> {
        Ok(latents::pack(&self.draw_cells(moments, generator)?)?)
    }

    /// Latents [B, c, h, w], scaled, drawn again.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(super) fn draw_cells(
        &self,
        moments: &Moments,
        generator: &mut Generator,
    ) -> Result<Tensor, TrainError> {
        let noise = randn(generator, moments.mean.elem_count(), DType::F32);
        let noise = Tensor::from_vec(noise, moments.mean.shape(), &self.device)?;
        let drawn = (&moments.mean + (noise * &moments.deviation)?)?;
        Ok(self.encoder.scaled(&drawn)?)
    }

    /// The pictures of packed latents on a grid of `side` tokens each way.
    ///
    /// # Errors
    /// Fails if the tokens do not fill the grid.
    pub(super) fn pictures(
        &self,
        tokens: &Tensor,
        side: usize,
    ) -> Result<Vec<RgbImage>, TrainError> {
        self.pictures_of_cells(&latents::unpack(tokens, side, side)?)
    }

    /// The pictures of latents [B, c, h, w].
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub(super) fn pictures_of_cells(&self, latents: &Tensor) -> Result<Vec<RgbImage>, TrainError> {
        let mut pictures = Vec::new();
        for start in (0..latents.dim(0)?).step_by(BATCH) {
            let count = BATCH.min(latents.dim(0)? - start);
            let pixels = self.decoder.decode(&latents.narrow(0, start, count)?)?;
            pictures.extend(samples::pictures(&pixels)?);
        }
        Ok(pictures)
    }
}
