//! Training of UniWorld-V1 (arXiv 2506.03147, section 3) over a frozen Qwen2.5-VL, a frozen reference encoder
//! and a frozen autoencoder. Stage 1 trains the projector behind the language model; stage 2 both projectors
//! and a part of FLUX's image branch, on captions and edits, with a loss that weighs what an edit changes.
//! The key `trainable` says which parameters learn.
//!
//! Prompts end where the assistant begins, as they do when pictures are made. The authors' script has one
//! more token.

mod block;
mod parts;
mod settings;

use self::block::{Block, Maker, Prompt};
use self::parts::Parts;
use self::settings::UniworldSettings;
use super::denoise::{Denoise, Prompts, by_length};
use super::description::TaskDescription;
use crate::model::noise::Generator;
use crate::model::uniworld::Projector;
use crate::model::weights::Variables;
use crate::train::TrainError;
use crate::train::blocks::Blocks;
use crate::train::samples::{self, CHECKS, TRAINING, stream};
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::world::edit::{Edit, Kind};
use crate::world::random::Random;
use crate::world::read;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `uniworld`.
pub(super) static UNIWORLD: TaskDescription = TaskDescription {
    name: "uniworld",
    about: "The two stages of UniWorld-V1 over a frozen Qwen2.5-VL and a frozen reference encoder.",
    roles: &["vlm", "flux", "reference", "begin"],
    open: |setup| Ok(Box::new(Uniworld::new(setup)?)),
};

/// How many edits of each kind a check has.
const CHECKED: usize = 16;

/// UniWorld-V1 that learns.
pub(super) struct Uniworld {
    settings: UniworldSettings,
    maker: Maker,
    denoise: Denoise,
    denoise_projector: Projector,
    reference_projector: Option<Projector>,
    /// CLIP's vector of the empty text, [1, P].
    pooled: Tensor,
    parts: Parts,
    variables: Arc<Variables>,
    blocks: Blocks<Block>,
    seed: u64,
    batch: usize,
}

impl Uniworld {
    /// # Errors
    /// Fails if the definition has a mistake, or a checkpoint that it begins from is absent or does not fit
    /// the others.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: UniworldSettings = setup.settings()?;
        let parts = Parts::open(&setup.sources, settings.encoder)?;
        let variables = setup.variables(parts.base()?);
        let weights = variables.weights();
        let maker = parts.maker(&weights, &settings, device)?;
        let width = parts.config.denoise_tower.output_hidden_size;
        let tower = weights.at("denoise_tower");
        let projector = |name: &str, input| Projector::new(&tower.at(name), input, width);
        let vlm = parts.config.vlm.text.hidden_size;
        let reference = maker.reference_width();
        Ok(Self {
            denoise_projector: projector("denoise_projector", vlm)?,
            reference_projector: reference
                .map(|input| projector("siglip_projector", input))
                .transpose()?,
            denoise: parts.denoise(&weights, device)?,
            pooled: parts.pooled(device)?,
            blocks: Blocks::new(setup.batches(settings.samples)),
            settings,
            maker,
            parts,
            variables,
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    fn block(&self, number: u64) -> Result<Block, TrainError> {
        let mut random = Random::new(self.seed, stream(TRAINING, number));
        let edits = random.chance(self.settings.edits);
        let vae = &self.denoise.vae;
        if edits {
            let lesson = self.settings.lesson(&mut random);
            self.maker.edit_block(vae, lesson, self.batch, &mut random)
        } else {
            let (signs, tasks) = (self.settings.signs, &self.settings.tasks);
            self.maker
                .caption_block(vae, signs, tasks, self.batch, &mut random)
        }
    }

    /// FLUX's text sequence [B, L + N, J] and its pooled vectors. Their order does not matter to FLUX, whose
    /// text tokens have no positions.
    fn prompts(&self, prompt: &Prompt) -> Result<Prompts, TrainError> {
        let states = self.denoise_projector.forward(&prompt.states)?;
        let context = match (&self.reference_projector, &prompt.features) {
            (Some(projector), Some(features)) => {
                Tensor::cat(&[states, projector.forward(features)?], 1)?
            }
            _ => states,
        };
        Ok(Prompts {
            pooled: self.pooled.repeat((context.dim(0)?, 1))?,
            context,
        })
    }

    /// How many edits of each kind change what they should, and how many keep what they should.
    fn check_edits(&self, numbers: &mut Numbers) -> Result<(), TrainError> {
        let mut random = Random::new(self.seed, stream(CHECKS, 1));
        for kind in Kind::ALL {
            let (mut follow, mut preserve, mut all) = (0, 0, 0);
            let edits: Vec<Edit> = (0..CHECKED)
                .map(|_| Edit::sampled(kind, &mut random))
                .collect();
            for (length, edits) in by_length(&edits, |edit| &edit.instruction) {
                let prompts = self.prompts(&self.maker.edits(&edits)?)?;
                let made = self.denoise.pictures(&prompts, self.seed + length as u64)?;
                for (edit, picture) in edits.iter().zip(&made) {
                    let found = read::things(picture);
                    follow += usize::from(edit.followed(&found));
                    preserve += usize::from(edit.preserved(&found));
                    all += 1;
                }
            }
            let share = |count: usize| count as f64 / f64::from(all.max(1));
            numbers.push((format!("{}_follow", kind.name()), share(follow)));
            numbers.push((format!("{}_preserve", kind.name()), share(preserve)));
        }
        Ok(())
    }
}

impl Learner for Uniworld {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let block = self.blocks.get(step, |number| self.block(number))?;
        let mut generator = Generator::new(samples::noise(self.seed, step));
        let latents = self.denoise.vae.draw(&block.moments, &mut generator)?;
        let Prompts { context, pooled } = self.prompts(&block.prompt)?;
        let weights = block.weights.as_ref();
        let loss = self
            .denoise
            .loss(&latents, &context, &pooled, weights, &mut generator)?;
        Ok(Loss::new(loss, &[]))
    }

    fn check(&self) -> Result<Numbers, TrainError> {
        let mut numbers = Numbers::new();
        if self.settings.edits < 1.0 {
            numbers = self.denoise.check(self.seed, |captions| {
                self.prompts(&self.maker.captions(captions)?)
            })?;
        }
        if self.settings.edits > 0.0 {
            self.check_edits(&mut numbers)?;
        }
        Ok(numbers)
    }

    fn files(&self) -> &'static [&'static str] {
        &["uniworld/config.json", "uniworld/model.safetensors"]
    }

    /// The folder that the generator `uniworld` reads: `uniworld/`, `flux/` and the encoder's.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        self.parts.publish(folder, weights)?;
        Ok(Numbers::new())
    }
}
