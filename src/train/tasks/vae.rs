//! Training of an autoencoder in FLUX.1's layout: pixels back from a sample of the latents, and latents near
//! to a unit normal (Kingma and Welling, arXiv 1312.6114).

use super::description::TaskDescription;
use crate::model::flux_vae::{Decoder, Encoder, VaeConfig};
use crate::model::noise::{Generator, randn};
use crate::model::weights::Variables;
use crate::train::samples::{self, CHECKS, TRAINING, stream};
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::{TrainError, state};
use crate::world::random::Random;
use crate::world::read;
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `vae`.
pub(super) static VAE: TaskDescription = TaskDescription {
    name: "vae",
    about: "An autoencoder of pictures of the miniature world, in the layout of FLUX.1's.",
    roles: &["begin"],
    open: |setup| Ok(Box::new(Vae::new(setup)?)),
};

/// How many pictures a check has at a time, and in all.
const CHECKED: [usize; 2] = [32, 256];
const FILES: [&str; 2] = ["config.json", "diffusion_pytorch_model.safetensors"];

/// `settings` of the task `vae`: the weights of the loss.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VaeSettings {
    /// Of the mean absolute difference of pixels in −1 … 1.
    pub l1: f64,
    /// Of the mean squared difference.
    pub l2: f64,
    /// Of the divergence from a unit normal, per number of the latents.
    pub kl: f64,
}

impl Default for VaeSettings {
    fn default() -> Self {
        Self {
            l1: 1.0,
            l2: 2.0,
            kl: 1e-3,
        }
    }
}

/// The autoencoder that learns.
pub(super) struct Vae {
    settings: VaeSettings,
    /// The published configuration, as it is written beside the weights.
    config: Value,
    encoder: Encoder,
    decoder: Decoder,
    variables: Arc<Variables>,
    device: Device,
    seed: u64,
    batch: usize,
}

impl Vae {
    /// # Errors
    /// Fails if the configuration has a mistake.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: VaeSettings = setup.settings()?;
        let config: VaeConfig = setup.network()?;
        let variables = setup.own_variables()?;
        let weights = variables.weights();
        Ok(Self {
            settings,
            config: setup.network.to_json(),
            encoder: Encoder::new(&config, &weights).map_err(TrainError::definition)?,
            decoder: Decoder::new(&config, &weights).map_err(TrainError::definition)?,
            variables,
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    /// Pictures of a check. No step of the training draws the same ones.
    fn unseen(&self, count: usize) -> Vec<image::RgbImage> {
        let mut random = Random::new(self.seed, CHECKS);
        (0..count).map(|_| samples::picture(&mut random)).collect()
    }

    /// Means and logarithms of variances of the latents of a batch.
    fn moments(&self, pixels: &Tensor) -> Result<[Tensor; 2], TrainError> {
        let moments = self.encoder.moments(pixels)?;
        let channels = moments.dim(1)? / 2;
        let log_variance = moments.narrow(1, channels, channels)?;
        Ok([
            moments.narrow(1, 0, channels)?,
            log_variance.clamp(-30f32, 20f32)?,
        ])
    }

    /// Mean and standard deviation of the latents of pictures, as they are drawn.
    fn spread(&self) -> Result<[f64; 2], TrainError> {
        let mut values: Vec<f64> = Vec::new();
        let mut generator = Generator::new(samples::noise(self.seed, 0));
        for pictures in self.unseen(CHECKED[1]).chunks(CHECKED[0]) {
            let moments = self.moments(&samples::batch(pictures, &self.device)?)?;
            let drawn: Vec<f32> = draw(&moments, &mut generator)?.flatten_all()?.to_vec1()?;
            values.extend(drawn.into_iter().map(f64::from));
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Ok([mean, (squares / count).sqrt()])
    }
}

/// Latents of means and logarithms of variances.
fn draw(
    [mean, log_variance]: &[Tensor; 2],
    generator: &mut Generator,
) -> candle_core::Result<Tensor> {
    let noise = randn(generator, mean.elem_count(), DType::F32);
    let noise = Tensor::from_vec(noise, mean.shape(), mean.device())?;
    mean + (noise * (log_variance * 0.5)?.exp()?)?
}

impl Learner for Vae {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let mut random = Random::new(self.seed, stream(TRAINING, step));
        let pictures: Vec<_> = (0..self.batch)
            .map(|_| samples::picture(&mut random))
            .collect();
        let pixels = samples::batch(&pictures, &self.device)?;
        let [mean, log_variance] = self.moments(&pixels)?;
        let mut generator = Generator::new(samples::noise(self.seed, step));
        let latents = draw(&[mean.clone(), log_variance.clone()], &mut generator)?;
        let difference = (self.decoder.decode(&self.encoder.scaled(&latents)?)? - &pixels)?;
        let l1 = difference.abs()?.mean_all()?;
        let l2 = difference.sqr()?.mean_all()?;
        let divergence = ((mean.sqr()? + log_variance.exp()?)? - (log_variance + 1.0)?)?;
        let kl = (divergence.mean_all()? * 0.5)?;
        let VaeSettings {
            l1: a,
            l2: b,
            kl: c,
        } = self.settings;
        let total = (((&l1 * a)? + (&l2 * b)?)? + (&kl * c)?)?;
        Ok(Loss::new(total, &[("l1", l1), ("l2", l2), ("kl", kl)]))
    }

    /// The mean squared difference of pictures that are decoded from the latents' means, and the share of
    /// pictures in which the exact observer finds the same things and words as in the original.
    fn check(&self) -> Result<Numbers, TrainError> {
        let (mut squares, mut numbers) = (0.0, 0);
        // Pictures of things and of letters: how many are read alike, and how many there are.
        let mut read_alike = [[0, 0]; 2];
        for originals in self.unseen(CHECKED[1]).chunks(CHECKED[0]) {
            let pixels = samples::batch(originals, &self.device)?;
            let [mean, _] = self.moments(&pixels)?;
            let decoded = self.decoder.decode(&self.encoder.scaled(&mean)?)?;
            let difference: f32 = (&decoded - &pixels)?.sqr()?.sum_all()?.to_scalar()?;
            squares += f64::from(difference);
            numbers += pixels.elem_count();
            for (before, after) in originals.iter().zip(samples::pictures(&decoded)?) {
                let letters = !read::text(&read::things(before)).is_empty();
                let count = &mut read_alike[usize::from(letters)];
                count[0] += usize::from(read::alike(before, &after));
                count[1] += 1;
            }
        }
        let share = |[same, all]: [usize; 2]| same as f64 / all.max(1) as f64;
        let [things, letters] = read_alike;
        Ok(vec![
            ("mse".into(), squares / numbers as f64),
            ("things_alike".into(), share(things)),
            ("signs_alike".into(), share(letters)),
        ])
    }

    fn files(&self) -> &'static [&'static str] {
        &FILES
    }

    /// `config.json` and `diffusion_pytorch_model.safetensors`, as diffusers' `AutoencoderKL`. The scaling
    /// makes latents of mean 0 and standard deviation 1.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        let [mean, deviation] = self.spread()?;
        let mut config = self.config.clone();
        config["_class_name"] = json!("AutoencoderKL");
        config["shift_factor"] = json!(mean);
        config["scaling_factor"] = json!(1.0 / deviation);
        let text = format!("{config:#}\n");
        state::replace(&folder.join(FILES[0]), text.as_bytes())?;
        state::write_weights(&folder.join(FILES[1]), &weights)?;
        Ok(vec![
            ("latent_mean".into(), mean),
            ("latent_std".into(), deviation),
        ])
    }
}
