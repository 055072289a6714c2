//! The frozen part of X-Omni: tokenizer, decoder, autoencoder and text encoders, which make pictures of
//! codes.

use super::settings::DecodeSection;
use crate::model::flow_match::FlowMatchConfig;
use crate::model::flux::{FluxConfig, latents};
use crate::model::noise::{Generator, randn};
use crate::model::read_config;
use crate::model::weights::load;
use crate::model::xomni::{Condition, Steady, XOmniDecoder};
use crate::train::TrainError;
use crate::train::autoencoder::Autoencoder;
use crate::train::codes::ImageTokenizer;
use crate::train::flow::sample;
use crate::train::sources::files;
use crate::train::tasks::text::Text;
use crate::train::tasks::whole::Whole;
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use std::path::PathBuf;

/// The frozen networks.
pub(super) struct System {
    /// Where they come from.
    pub whole: Whole,
    /// The tokenizer of pictures.
    pub images: ImageTokenizer,
    decoder: XOmniDecoder,
    vae: Autoencoder,
    text: Text,
    scheduler: FlowMatchConfig,
    decode: DecodeSection,
    device: Device,
}

/// T5's states [B, T, J] and CLIP's pooled vectors [B, P].
struct Told {
    states: Tensor,
    pooled: Tensor,
}

/// A picture to make of codes.
pub(super) struct Coded<'a> {
    /// What it should show.
    pub caption: &'a str,
    /// Its codes.
    pub codes: &'a [u32],
    /// The seed of its noise.
    pub noise: u64,
}

impl System {
    /// The networks of a folder that the task `xomni-decoder` wrote.
    ///
    /// # Errors
    /// Fails if the folder is not a whole X-Omni with a decoder that reads the prompt.
    pub(super) fn open(
        folder: PathBuf,
        decode: DecodeSection,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let whole = Whole::open(folder)?;
        let (flux, decoder) = (whole.flux(), whole.decoder());
        let images = ImageTokenizer::open(&whole.own(), device)?;
        let shape: FluxConfig = read_config(&decoder.join("config.json"))?;
        let stored = files(&decoder)?;
        if XOmniDecoder::is_image_only(&stored) {
            return Err(TrainError::Definition {
                message: format!(
                    "`from.system`: the decoder of {} reads no prompt; this task needs one that does",
                    whole.folder().display()
                ),
            });
        }
        let width = images.encoder.z_channels;
        Ok(Self {
            decoder: load(&stored, DType::F32, device, |weights| {
                XOmniDecoder::new(&shape, width, false, weights)
            })?,
            vae: Autoencoder::open(&flux.join("vae"), device)?,
            text: Text::open(&flux, decode.max_sequence_length, device)?,
            scheduler: read_config(&flux.join("scheduler/scheduler_config.json"))?,
            whole,
            images,
            decode,
            device: device.clone(),
        })
    }

    /// A hash of all networks between codes and pictures.
    ///
    /// # Errors
    /// Fails if a file cannot be read.
    pub(super) fn fingerprint(&self) -> Result<String, TrainError> {
        Ok(format!(
            "{}-{}",
            self.images.fingerprint()?,
            self.whole.fingerprint()?
        ))
    }

    /// The pictures of codes, `decode.batch` at a time.
    ///
    /// # Errors
    /// Fails if a code is outside the codebook, or the device has no room.
    pub(super) fn pictures(&self, coded: &[Coded<'_>]) -> Result<Vec<RgbImage>, TrainError> {
        let mut pictures = Vec::with_capacity(coded.len());
        for coded in coded.chunks(self.decode.batch) {
            pictures.extend(self.together(coded)?);
        }
        Ok(pictures)
    }

    fn together(&self, coded: &[Coded<'_>]) -> Result<Vec<RgbImage>, TrainError> {
        let (batch, side) = (coded.len(), self.images.side);
        let codes: Vec<Vec<u32>> = coded.iter().map(|coded| coded.codes.to_vec()).collect();
        let features = self.images.features(&codes)?;
        let captions: Vec<&str> = coded.iter().map(|coded| coded.caption).collect();
        let with = self.steady(&self.told(&captions)?, Some(&features))?;
        let scale = self.decode.cfg_scale;
        let without = if scale == 1.0 {
            None
        } else {
            Some(self.steady(&self.told(&vec![""; batch])?, None)?)
        };
        let noise = self.noise(coded)?;
        let steps = self.decode.num_inference_steps;
        let made = sample(&noise, &self.scheduler, steps, |x, sigma| {
            let velocity = self.decoder.forward(x, &with, sigma)?;
            let Some(without) = &without else {
                return Ok(velocity);
            };
            let without = self.decoder.forward(x, without, sigma)?;
            Ok((&without + ((velocity - &without)? * scale)?)?)
        })?;
        self.vae.pictures(&made, side)
    }

    /// The first noise of pictures, [B, N, C]: pictures with one seed have the same.
    fn noise(&self, coded: &[Coded<'_>]) -> Result<Tensor, TrainError> {
        let (length, width) = (self.images.side.pow(2), self.vae.width());
        let mut values: Vec<f32> = Vec::with_capacity(coded.len() * length * width);
        let mut last: Option<(u64, Vec<f32>)> = None;
        for coded in coded {
            let own = match last.take() {
                Some((seed, own)) if seed == coded.noise => own,
                _ => randn(&mut Generator::new(coded.noise), length * width, DType::F32),
            };
            values.extend(&own);
            last = Some((coded.noise, own));
        }
        let shape = (coded.len(), length, width);
        Ok(Tensor::from_vec(values, shape, &self.device)?)
    }

    /// Captions as the text encoders read them; equal ones that follow each other are read once.
    fn told(&self, captions: &[&str]) -> Result<Told, TrainError> {
        let (mut different, mut rows): (Vec<&str>, Vec<u32>) = (Vec::new(), Vec::new());
        for caption in captions {
            if different.last() != Some(caption) {
                different.push(caption);
            }
            rows.push(different.len() as u32 - 1);
        }
        let [states, pooled] = self.text.encode(&different, &different)?;
        let rows = Tensor::new(rows, &self.device)?;
        Ok(Told {
            states: states.index_select(&rows, 0)?,
            pooled: pooled.index_select(&rows, 0)?,
        })
    }

    fn steady(&self, told: &Told, features: Option<&Tensor>) -> Result<Steady, TrainError> {
        let side = self.images.side;
        let condition = Condition {
            features,
            text: Some((&told.states, &told.pooled)),
        };
        let guidance = Tensor::ones(told.states.dim(0)?, DType::F32, &self.device)?;
        let ids = latents::image_ids(side, side, &self.device)?;
        Ok(self.decoder.prepare(condition, &guidance, &ids)?)
    }
}
