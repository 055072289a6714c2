//! A FLUX transformer that learns to denoise the latents of a frozen autoencoder.

use crate::model::flow_match::FlowMatchConfig;
use crate::model::flux::{FluxTransformer, latents};
use crate::model::noise::{Generator, randn};
use crate::train::TrainError;
use crate::train::autoencoder::{Autoencoder, Moments};
use crate::train::flow::{Noised, sample};
use crate::train::samples::{self, Captioned, Tasks};
use crate::train::task::Numbers;
use crate::world::caption::{Caption, Task};
use crate::world::random::Random;
use crate::world::{SIDE, read};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use std::collections::BTreeMap;

/// How many captions of each task a check has, and how many steps a picture of it takes.
const CHECKED: usize = 16;
pub(super) const STEPS: usize = 12;

/// The transformer with what it learns over.
pub(super) struct Denoise {
    /// FLUX's transformer, which learns.
    pub transformer: FluxTransformer,
    /// The frozen autoencoder.
    pub vae: Autoencoder,
    /// FLUX's scheduler.
    pub scheduler: FlowMatchConfig,
    /// The device that computes all of it.
    pub device: Device,
}

/// What a transformer is conditioned on: text tokens [B, T, J] and pooled vectors [B, P].
pub(super) struct Prompts {
    /// Text tokens [B, T, J].
    pub context: Tensor,
    /// A vector of each prompt [B, P].
    pub pooled: Tensor,
}

/// A batch of captioned pictures.
pub(super) struct CaptionedBatch {
    /// What the pictures' latents are drawn from.
    pub moments: Moments,
    /// The captions.
    pub captions: Vec<String>,
}

impl CaptionedBatch {
    /// Draws so many pictures; `signs` is the share of signs among them.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(super) fn drawn(
        vae: &Autoencoder,
        (signs, tasks): (f64, &Tasks),
        count: usize,
        random: &mut Random,
    ) -> Result<Self, TrainError> {
        let drawn: Vec<Captioned> = (0..count)
            .map(|_| samples::captioned(signs, tasks, random))
            .collect();
        let pictures: Vec<_> = drawn.iter().map(|sample| sample.picture.clone()).collect();
        Ok(Self {
            moments: vae.moments(&pictures)?,
            captions: drawn.into_iter().map(|sample| sample.caption).collect(),
        })
    }
}

/// Prompts whose texts have one number of words, which can be made together.
pub(super) fn by_length<T, S: AsRef<str>>(
    prompts: impl IntoIterator<Item = T>,
    text: impl Fn(&T) -> S,
) -> BTreeMap<usize, Vec<T>> {
    let mut groups: BTreeMap<usize, Vec<T>> = BTreeMap::new();
    for prompt in prompts {
        let length = text(&prompt).as_ref().split(' ').count();
        groups.entry(length).or_default().push(prompt);
    }
    groups
}

impl Denoise {
    /// Tokens of a picture's side.
    fn side(&self) -> usize {
        SIDE as usize / self.vae.token()
    }

    fn velocity(
        &self,
        noisy: &Tensor,
        sigma: &Tensor,
        context: &Tensor,
        pooled: &Tensor,
    ) -> Result<Tensor, TrainError> {
        // Training of UniWorld-V1 sets the guidance scale to 1.
        let guidance = Tensor::ones(sigma.shape(), DType::F32, &self.device)?;
        let side = self.side();
        let conditioning = self.transformer.prepare(
            context,
            pooled,
            Some(&guidance),
            &latents::image_ids(side, side, &self.device)?,
            &latents::text_ids(context.dim(1)?, &self.device)?,
        )?;
        Ok(self
            .transformer
            .forward(noisy, &conditioning, sigma, None)?)
    }

    /// The loss of latents [B, N, C] under prompts; `weights` broadcast to the latents.
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub(super) fn loss(
        &self,
        latents: &Tensor,
        context: &Tensor,
        pooled: &Tensor,
        weights: Option<&Tensor>,
        generator: &mut Generator,
    ) -> Result<Tensor, TrainError> {
        let noised = Noised::new(latents, &self.scheduler, generator)?;
        let predicted = self.velocity(&noised.noisy, &noised.sigma, context, pooled)?;
        noised.loss(&predicted, weights)
    }

    /// Pictures under prompts, from the noise of a seed.
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub(super) fn pictures(
        &self,
        prompts: &Prompts,
        seed: u64,
    ) -> Result<Vec<RgbImage>, TrainError> {
        let side = self.side();
        let shape = (prompts.context.dim(0)?, side * side, self.vae.width());
        let mut generator = Generator::new(seed);
        let noise = randn(&mut generator, shape.0 * shape.1 * shape.2, DType::F32);
        let noise = Tensor::from_vec(noise, shape, &self.device)?;
        let made = sample(&noise, &self.scheduler, STEPS, |x, sigma| {
            self.velocity(x, sigma, &prompts.context, &prompts.pooled)
        })?;
        self.vae.pictures(&made, side)
    }

    /// The numbers of [`check_captions`].
    ///
    /// # Errors
    /// Fails when `prompts` or [`Self::pictures`] fails.
    pub(super) fn check(
        &self,
        seed: u64,
        prompts: impl Fn(&[&str]) -> Result<Prompts, TrainError>,
    ) -> Result<Numbers, TrainError> {
        check_captions(seed, |words, seed| self.pictures(&prompts(words)?, seed))
    }
}

/// How many captions of each of GenEval's tasks the pictures show that `draw` makes of captions, from the
/// noise of a seed. Captions that are held out count like the others.
///
/// # Errors
/// Fails when `draw` fails.
pub(super) fn check_captions(
    seed: u64,
    draw: impl Fn(&[&str], u64) -> Result<Vec<RgbImage>, TrainError>,
) -> Result<Numbers, TrainError> {
    let mut random = Random::new(seed, samples::stream(samples::CHECKS, 0));
    let mut numbers = Numbers::new();
    for task in Task::ALL {
        let all = Caption::all_of(task);
        let captions: Vec<Caption> = (0..CHECKED).map(|_| random.pick(&all)).collect();
        let mut right = 0;
        for (length, captions) in by_length(captions, |caption| caption.words()) {
            let words: Vec<String> = captions.iter().map(|caption| caption.words()).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let made = draw(&words, seed + length as u64)?;
            let pairs = captions.iter().zip(&made);
            right += pairs
                .filter(|(caption, picture)| caption.shown(&read::things(picture)))
                .count();
        }
        numbers.push((task.tag().into(), right as f64 / CHECKED as f64));
    }
    let mean = numbers.iter().map(|(_, share)| share).sum::<f64>() / numbers.len() as f64;
    numbers.push(("overall".into(), mean));
    Ok(numbers)
}
