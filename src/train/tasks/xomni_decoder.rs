//! Training of X-Omni's diffusion decoder (arXiv 2507.22058, section 3.2): FLUX.1 learns to draw what the
//! codes of a frozen tokenizer say. Their features join the image tokens between the two kinds of blocks,
//! through a layer that begins with zeros, so that the first picture is FLUX's own.
//!
//! The checkpoint is the whole folder that the generator `xomni` opens.

mod parts;

use self::parts::{DECODER, Parts};
use super::description::TaskDescription;
use super::text::Text;
use crate::model::flow_match::FlowMatchConfig;
use crate::model::flux::{FluxConfig, latents};
use crate::model::noise::{Generator, randn};
use crate::model::read_config;
use crate::model::weights::Variables;
use crate::model::xomni::{Condition, Steady, XOmniDecoder};
use crate::train::TrainError;
use crate::train::autoencoder::{Autoencoder, Moments};
use crate::train::blocks::Blocks;
use crate::train::codes::ImageTokenizer;
use crate::train::flow::{Noised, sample};
use crate::train::samples::{self, CHECKS, Captioned, TRAINING, Tasks, stream};
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::world::random::Random;
use crate::world::read;
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `xomni-decoder`.
pub(super) static XOMNI_DECODER: TaskDescription = TaskDescription {
    name: "xomni-decoder",
    about: "X-Omni's diffusion decoder over the codes of a frozen tokenizer, beginning as FLUX.1; the checkpoint is all \
            of X-Omni.",
    roles: &["tokenizer", "ar", "flux"],
    open: |setup| Ok(Box::new(XOmniDecoderTask::new(setup)?)),
};

/// How many pictures a check has.
const CHECKED: usize = 64;

/// `settings` of the task `xomni-decoder`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct DecoderSettings {
    /// How many different samples there are. They come again in the same order.
    samples: u64,
    /// Tokens of T5.
    max_sequence_length: usize,
    /// How often a sample has neither text nor codes, for guidance.
    #[serde(default = "drop")]
    drop: f64,
    /// The share of signs among the samples.
    #[serde(default = "signs")]
    signs: f64,
    /// What checks draw with, and the checkpoint by itself: Euler steps, and guidance by the difference to an
    /// empty condition.
    num_inference_steps: usize,
    cfg_scale: f64,
}

fn drop() -> f64 {
    0.1
}

fn signs() -> f64 {
    samples::SIGN
}

/// A decoder that learns.
pub(super) struct XOmniDecoderTask {
    settings: DecoderSettings,
    decoder: XOmniDecoder,
    parts: Parts,
    images: ImageTokenizer,
    vae: Autoencoder,
    scheduler: FlowMatchConfig,
    text: Text,
    /// The states of the empty text.
    nothing: Conditions,
    variables: Arc<Variables>,
    blocks: Blocks<Block>,
    device: Device,
    seed: u64,
    batch: usize,
}

/// What a decoder is conditioned on: features of codes [B, N, Z], T5's states [B, T, J] and CLIP's pooled
/// vectors [B, P].
struct Conditions {
    features: Option<Tensor>,
    states: Tensor,
    pooled: Tensor,
}

/// A batch of captioned pictures.
struct Block {
    moments: Moments,
    conditions: Conditions,
}

impl XOmniDecoderTask {
    /// # Errors
    /// Fails if the definition has a mistake, or a checkpoint that it begins from is absent or does not fit
    /// the others.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: DecoderSettings = setup.settings()?;
        let flux = setup.sources.need("flux")?;
        let images = ImageTokenizer::open(&setup.sources.need("tokenizer")?, device)?;
        let vae = Autoencoder::open(&flux.join("vae"), device)?;
        let parts = Parts::open(&flux, setup.sources.need("ar")?, &images, vae.token())?;
        let config: FluxConfig = parts.flux_config()?;
        let features = images.encoder.z_channels;
        let variables = setup.variables(parts.base(&config, features)?);
        let text = Text::open(&flux, settings.max_sequence_length, device)?;
        Ok(Self {
            decoder: XOmniDecoder::new(&config, features, false, &variables.weights())?,
            nothing: conditions(&text, &[""], None)?,
            text,
            scheduler: read_config(&flux.join("scheduler/scheduler_config.json"))?,
            blocks: Blocks::new(setup.batches(settings.samples)),
            settings,
            parts,
            images,
            vae,
            variables,
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    fn block(&self, number: u64) -> Result<Block, TrainError> {
        let mut random = Random::new(self.seed, stream(TRAINING, number));
        let (captions, pictures) = self.captioned(self.batch, &mut random);
        Ok(Block {
            moments: self.vae.moments(&pictures)?,
            conditions: self.conditions_of(&captions, &pictures)?,
        })
    }

    /// So many captions with their pictures.
    fn captioned(&self, count: usize, random: &mut Random) -> (Vec<String>, Vec<RgbImage>) {
        let tasks = Tasks::default();
        let drawn = (0..count).map(|_| {
            let Captioned { caption, picture } =
                samples::captioned(self.settings.signs, &tasks, random);
            (caption, picture)
        });
        drawn.unzip()
    }

    /// The conditions of pictures with captions.
    fn conditions_of(
        &self,
        captions: &[String],
        pictures: &[RgbImage],
    ) -> Result<Conditions, TrainError> {
        let captions: Vec<&str> = captions.iter().map(String::as_str).collect();
        let features = self.images.features(&self.images.codes(pictures)?)?;
        conditions(&self.text, &captions, Some(features))
    }

    fn steady(&self, conditions: &Conditions) -> Result<Steady, TrainError> {
        let side = self.images.side;
        let condition = Condition {
            features: conditions.features.as_ref(),
            text: Some((&conditions.states, &conditions.pooled)),
        };
        let guidance = Tensor::ones(conditions.states.dim(0)?, DType::F32, &self.device)?;
        let ids = latents::image_ids(side, side, &self.device)?;
        Ok(self.decoder.prepare(condition, &guidance, &ids)?)
    }

    /// Some samples have no conditions: zero features and the empty text.
    fn dropped(
        &self,
        conditions: &Conditions,
        generator: &mut Generator,
    ) -> Result<Conditions, TrainError> {
        let batch = conditions.states.dim(0)?;
        let kept = (0..batch).map(|_| {
            if generator.uniform() < self.settings.drop {
                0f32
            } else {
                1.0
            }
        });
        let kept = Tensor::from_iter(kept.collect::<Vec<f32>>(), &self.device)?;
        let rows = kept.reshape((batch, 1))?;
        let mixed = |own: &Tensor, nothing: &Tensor, kept: &Tensor| {
            own.broadcast_mul(kept)? + nothing.broadcast_mul(&(1.0 - kept)?)?
        };
        let cells = rows.unsqueeze(2)?;
        let features = conditions.features.as_ref();
        Ok(Conditions {
            features: features
                .map(|features| features.broadcast_mul(&cells))
                .transpose()?,
            states: mixed(&conditions.states, &self.nothing.states, &cells)?,
            pooled: mixed(&conditions.pooled, &self.nothing.pooled, &rows)?,
        })
    }

    /// Pictures as the generator draws them, from the noise of a seed.
    fn pictures(&self, conditions: &Conditions, seed: u64) -> Result<Vec<RgbImage>, TrainError> {
        let (batch, side) = (conditions.states.dim(0)?, self.images.side);
        let shape = (batch, side * side, self.vae.width());
        let noise = randn(
            &mut Generator::new(seed),
            shape.0 * shape.1 * shape.2,
            DType::F32,
        );
        let noise = Tensor::from_vec(noise, shape, &self.device)?;
        let nothing = Conditions {
            features: None,
            states: self.nothing.states.repeat((batch, 1, 1))?,
            pooled: self.nothing.pooled.repeat((batch, 1))?,
        };
        let (with, without) = (self.steady(conditions)?, self.steady(&nothing)?);
        let scale = self.settings.cfg_scale;
        let steps = self.settings.num_inference_steps;
        let made = sample(&noise, &self.scheduler, steps, |x, sigma| {
            let without = self.decoder.forward(x, &without, sigma)?;
            let with = self.decoder.forward(x, &with, sigma)?;
            Ok((&without + ((with - &without)? * scale)?)?)
        })?;
        self.vae.pictures(&made, side)
    }
}

fn conditions(
    text: &Text,
    captions: &[&str],
    features: Option<Tensor>,
) -> Result<Conditions, TrainError> {
    let [states, pooled] = text.encode(captions, captions)?;
    Ok(Conditions {
        features,
        states: states.detach(),
        pooled: pooled.detach(),
    })
}

impl Learner for XOmniDecoderTask {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let block = self.blocks.get(step, |number| self.block(number))?;
        let mut generator = Generator::new(samples::noise(self.seed, step));
        let latents = self.vae.draw(&block.moments, &mut generator)?;
        let steady = self.steady(&self.dropped(&block.conditions, &mut generator)?)?;
        let noised = Noised::new(&latents, &self.scheduler, &mut generator)?;
        let predicted = self
            .decoder
            .forward(&noised.noisy, &steady, &noised.sigma)?;
        Ok(Loss::new(noised.loss(&predicted, None)?, &[]))
    }

    /// The share of unseen pictures in which the exact observer reads the same after they went through codes,
    /// for scenes and for signs.
    fn check(&self) -> Result<Numbers, TrainError> {
        let mut random = Random::new(self.seed, stream(CHECKS, 0));
        let (captions, originals) = self.captioned(CHECKED, &mut random);
        let made = self.pictures(&self.conditions_of(&captions, &originals)?, self.seed)?;
        // Pictures of things and of letters: how many are read alike, and how many there are.
        let mut read_alike = [[0, 0]; 2];
        for (before, after) in originals.iter().zip(&made) {
            let letters = !read::text(&read::things(before)).is_empty();
            let count = &mut read_alike[usize::from(letters)];
            count[0] += usize::from(read::alike(before, after));
            count[1] += 1;
        }
        let share = |[same, all]: [usize; 2]| same as f64 / all.max(1) as f64;
        let [things, letters] = read_alike;
        Ok(vec![
            ("things_alike".into(), share(things)),
            ("signs_alike".into(), share(letters)),
        ])
    }

    fn files(&self) -> &'static [&'static str] {
        &parts::FILES
    }

    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        let decoder = serde_json::json!({
            "model_path": DECODER,
            "upscale_factor": self.vae.token(),
            "num_inference_steps": self.settings.num_inference_steps,
            "cfg_scale": self.settings.cfg_scale,
            "cfg_scale_2": self.settings.cfg_scale,
        });
        self.parts
            .publish(folder, decoder, &self.images, &weights)?;
        Ok(Numbers::new())
    }
}
