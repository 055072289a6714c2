//! Training of DINOv2 by self-distillation (Oquab et al., arXiv 2304.07193): a student sees one view of a
//! picture with some hidden patches. It predicts what the teacher says about another view, and about the
//! hidden patches.
//!
//! The teacher is the moving average of the student's weights that the optimizer keeps (`optimizer.ema`), so
//! that it is saved and published as such; and it is balanced over a batch instead of by a running centre, as
//! in DINOv2, so that there is nothing else to save. Of the recipe's parts the small crops are left out.

use super::description::TaskDescription;
use super::encoder::{self, Batch};
use super::self_distillation::{Head, balanced, cross_entropy, koleo};
use super::views::{ViewSettings, mask, view};
use crate::model::dinov2::{Dinov2, Dinov2Config};
use crate::model::processor::FixedProcessor;
use crate::model::weights::Variables;
use crate::train::TrainError;
use crate::train::optimizer::AdamW;
use crate::train::probe::probe;
use crate::train::samples;
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::world::random::Random;
use candle_core::{D, Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The task `dinov2`.
pub(super) static DINOV2: TaskDescription = TaskDescription {
    name: "dinov2",
    about: "DINOv2 by self-distillation on the same pictures.",
    roles: &["begin"],
    open: |setup| Ok(Box::new(Dinov2Task::new(setup)?)),
};

/// How many pictures a check has, whose prototypes are counted.
const CHECKED: usize = 128;
/// The prefix of the network's parameters, beside those of the heads.
const NETWORK: [&str; 3] = ["embeddings.", "encoder.", "layernorm."];

/// `settings` of the task `dinov2`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Dinov2Settings {
    views: ViewSettings,
    prototypes: usize,
    /// Width of the heads' hidden layers, and of what is compared with prototypes.
    head_hidden: usize,
    head_bottleneck: usize,
    student_temperature: f64,
    /// At the first step and from the end of its warm-up on.
    teacher_temperature: [f64; 2],
    /// Steps of the warm-up of the teacher's temperature.
    temperature_warmup: u64,
    /// Weights of the losses.
    dino: f64,
    ibot: f64,
    koleo: f64,
}

impl Default for Dinov2Settings {
    fn default() -> Self {
        Self {
            views: ViewSettings::default(),
            prototypes: 256,
            head_hidden: 192,
            head_bottleneck: 64,
            student_temperature: 0.1,
            teacher_temperature: [0.04, 0.07],
            temperature_warmup: 1000,
            dino: 1.0,
            ibot: 1.0,
            koleo: 0.1,
        }
    }
}

/// Student and teacher: one network whose weights are exchanged.
pub(super) struct Dinov2Task {
    settings: Dinov2Settings,
    /// The configuration that is published.
    config: Value,
    network: Dinov2,
    mask_token: Tensor,
    dino: Head,
    ibot: Head,
    /// Tokens before the patches.
    before: usize,
    patches: usize,
    processor: FixedProcessor,
    variables: Arc<Variables>,
    device: Device,
    seed: u64,
    batch: usize,
}

/// Two views of each picture, the second ones after all first ones.
struct Views {
    /// [2B, 3, S, S]
    pixels: Tensor,
    /// [2B, N, 1], 1 where a patch is hidden.
    mask: Tensor,
    /// Numbers of the hidden patches, counted over all views.
    hidden: Tensor,
}

/// The teacher's choices: of whole views [2B, K], and of the hidden patches [M, K].
struct Targets {
    views: Tensor,
    patches: Option<Tensor>,
}

impl Dinov2Task {
    /// # Errors
    /// Fails if the definition has a mistake or a checkpoint that it begins from is absent.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: Dinov2Settings = setup.settings()?;
        let config: Dinov2Config = setup.network()?;
        let variables = setup.own_variables()?;
        let weights = variables.weights();
        let network = Dinov2::new(&config, &weights).map_err(TrainError::definition)?;
        let sizes = [
            settings.head_hidden,
            settings.head_bottleneck,
            settings.prototypes,
        ];
        let head = |name: &str| Head::new(&weights.at(name), config.hidden_size, sizes);
        Ok(Self {
            settings,
            config: setup.network.to_json(),
            network,
            mask_token: weights.get("embeddings.mask_token", (1, config.hidden_size))?,
            dino: head("dino_head")?,
            ibot: head("ibot_head")?,
            before: 1 + config.num_register_tokens,
            patches: (config.image_size / config.patch_size).pow(2),
            processor: FixedProcessor::dinov2(config.image_size as u32),
            variables,
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    fn views(&self, step: u64) -> Result<Views, TrainError> {
        const VIEWS: u64 = 5;
        let pictures = Batch::of_step(self.seed, step, self.batch).pictures;
        let settings = &self.settings.views;
        let mut random = Random::new(self.seed, samples::stream(VIEWS, step));
        let twice = pictures.iter().chain(&pictures);
        let views: Vec<RgbImage> = twice
            .map(|picture| view(picture, settings, &mut random))
            .collect();
        let masks = views
            .iter()
            .flat_map(|_| mask(self.patches, settings, &mut random));
        let masks: Vec<bool> = masks.collect();
        let hidden = (0_u32..).zip(&masks).filter(|(_, hidden)| **hidden);
        let hidden: Vec<u32> = hidden.map(|(patch, _)| patch).collect();
        let mask = masks.iter().map(|hidden| f32::from(u8::from(*hidden)));
        Ok(Views {
            pixels: encoder::pixels(&views, &self.processor, &self.device)?,
            mask: Tensor::from_iter(mask, &self.device)?.reshape((views.len(), self.patches, 1))?,
            hidden: Tensor::new(hidden, &self.device)?,
        })
    }

    /// Patch tokens [B, N, D] of states.
    fn patches(&self, states: &Tensor) -> Result<Tensor, TrainError> {
        Ok(states.narrow(1, self.before, self.patches)?.contiguous()?)
    }

    /// The tokens [M, D] of hidden patches. `None` if there are none.
    fn hidden(&self, states: &Tensor, views: &Views) -> Result<Option<Tensor>, TrainError> {
        if views.hidden.elem_count() == 0 {
            return Ok(None);
        }
        let patches = self.patches(states)?.flatten(0, 1)?;
        Ok(Some(patches.index_select(&views.hidden, 0)?))
    }

    fn teacher_temperature(&self, step: u64) -> f64 {
        let [first, last] = self.settings.teacher_temperature;
        let way = step as f64 / self.settings.temperature_warmup.max(1) as f64;
        first + (last - first) * way.min(1.0)
    }

    /// What the teacher says about whole views with nothing hidden, while its weights are in place.
    fn targets(&self, views: &Views, step: u64) -> Result<Targets, TrainError> {
        let temperature = self.teacher_temperature(step);
        let states = self.network.forward(&views.pixels)?.detach();
        let class = states.narrow(1, 0, 1)?.squeeze(1)?;
        let patches = self.hidden(&states, views)?.map(|patches| {
            let choices = balanced(&self.ibot.forward(&patches)?, temperature)?;
            Ok::<_, TrainError>(choices)
        });
        Ok(Targets {
            views: balanced(&self.dino.forward(&class)?, temperature)?,
            patches: patches.transpose()?,
        })
    }

    fn distilled(&self, views: &Views, targets: &Targets) -> Result<Loss, TrainError> {
        let Dinov2Settings {
            student_temperature: temperature,
            dino,
            ibot,
            koleo: spread,
            ..
        } = self.settings;
        let states = self
            .network
            .forward_masked(&views.pixels, &views.mask, &self.mask_token)?;
        let class = states.narrow(1, 0, 1)?.squeeze(1)?;
        let count = class.dim(0)? / 2;
        // Each view answers for the other one of its picture.
        let other = [
            targets.views.narrow(0, count, count)?,
            targets.views.narrow(0, 0, count)?,
        ];
        let other = Tensor::cat(&other, 0)?;
        let across = cross_entropy(&other, &self.dino.forward(&class)?, temperature)?;
        let mut total = (&across * dino)?;
        let mut parts = vec![("dino", across)];
        if let (Some(chosen), Some(hidden)) = (&targets.patches, self.hidden(&states, views)?) {
            let within = cross_entropy(chosen, &self.ibot.forward(&hidden)?, temperature)?;
            total = (total + (&within * ibot)?)?;
            parts.push(("ibot", within));
        }
        if spread > 0.0 && count > 1 {
            let [first, second] = [0, count].map(|at| class.narrow(0, at, count));
            let apart = ((koleo(&first?)? + koleo(&second?)?)? / 2.0)?;
            total = (total + (&apart * spread)?)?;
            parts.push(("koleo", apart));
        }
        Ok(Loss::new(total, &parts))
    }

    /// States [B, 1 + R + N, D] of pictures as they are.
    fn states(&self, pictures: &[RgbImage]) -> Result<Tensor, TrainError> {
        let pixels = encoder::pixels(pictures, &self.processor, &self.device)?;
        Ok(self.network.forward(&pixels)?)
    }
}

impl Learner for Dinov2Task {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    /// The loss with the current weights as their own teacher.
    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let views = self.views(step)?;
        let targets = self.targets(&views, step)?;
        self.distilled(&views, &targets)
    }

    fn loss_beside(&self, step: u64, averages: &AdamW) -> Result<Loss, TrainError> {
        let views = self.views(step)?;
        let targets = averages.averaged(|| self.targets(&views, step))?;
        self.distilled(&views, &targets)
    }

    /// How many prototypes some unseen pictures choose, which falls to 1 when the training collapses, and
    /// what a linear probe reads from the patch tokens.
    fn check(&self) -> Result<Numbers, TrainError> {
        let pictures = Batch::unseen(self.seed, CHECKED).pictures;
        let class = self.states(&pictures)?.narrow(1, 0, 1)?.squeeze(1)?;
        let chosen: Vec<u32> = self.dino.forward(&class)?.argmax(D::Minus1)?.to_vec1()?;
        let chosen = chosen.into_iter().collect::<BTreeSet<u32>>().len();
        let mut numbers = vec![("prototypes".to_owned(), chosen as f64)];
        numbers.extend(probe(self.seed, |pictures| {
            self.patches(&self.states(pictures)?)
        })?);
        Ok(numbers)
    }

    fn files(&self) -> &'static [&'static str] {
        &encoder::FILES
    }

    /// The teacher as transformers' `Dinov2Model`.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        let registers = self.before > 1;
        let mut config = self.config.clone();
        config["model_type"] = json!(if registers {
            "dinov2_with_registers"
        } else {
            "dinov2"
        });
        let class = if registers {
            "Dinov2WithRegistersModel"
        } else {
            "Dinov2Model"
        };
        config["architectures"] = json!([class]);
        let own = encoder::beginning(&NETWORK, weights);
        let processor = ("BitImageProcessor", &self.processor);
        encoder::publish(folder, &config, processor, &own)?;
        Ok(Numbers::new())
    }
}
