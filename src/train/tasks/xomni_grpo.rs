//! Reinforcement learning of X-Omni's autoregressive model in the miniature world (arXiv 2507.22058, section
//! 3.2): the policy draws pictures, a frozen decoder decodes them, a reward says what they are worth, and the
//! likelihood of those above the mean of their group rises.
//!
//! | file | idea |
//! |---|---|
//! | `settings` | what a definition says |
//! | `prompts` | what is asked, and whether a picture shows it |
//! | `system` | the frozen networks between codes and pictures |
//! | `rollout` | drawings, their pictures and rewards |
//! | `weigh` | which drawings count, and how much |
//! | [`objective`] | from rewards and scores of tokens to a loss |
//! | `learn` | the loss of a step |
//! | `curve` | the numbers and the pictures of a step |
//! | `checks` | how good the policy is |
//!
//! The seeds of all drawings follow from the training's seed, the step and their place, so that a step
//! depends on nothing but the weights, the seed and its number.

mod checks;
mod curve;
mod learn;
pub mod objective;
mod prompts;
mod rollout;
mod settings;
mod system;
mod weigh;

use self::learn::Round;
use self::settings::GrpoSettings;
use self::system::System;
use super::description::TaskDescription;
use super::whole::{FILES, WEIGHTS};
use crate::files::sha256_of_file;
use crate::model::read_config;
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::{Files, Variables, load};
use crate::model::xomni::{XOmniAr, XOmniConfig};
use crate::train::TrainError;
use crate::train::scores::Scores;
use crate::train::setup::Setup;
use crate::train::sources::files;
use crate::train::task::{Learner, Loss, Numbers};
use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The task `xomni-grpo`.
pub(super) static XOMNI_GRPO: TaskDescription = TaskDescription {
    name: "xomni-grpo",
    about: "X-Omni's autoregressive model by reinforcement learning: rewards of its pictures, relative to those of the \
            same prompt; the checkpoint is all of X-Omni.",
    roles: &["begin", "system"],
    open: |setup| Ok(Box::new(XOmniGrpoTask::new(setup)?)),
};

/// A policy that learns.
pub(super) struct XOmniGrpoTask {
    settings: GrpoSettings,
    config: XOmniConfig,
    tokens: Tokenizer,
    /// The policy.
    model: XOmniAr,
    /// What the policy began as, frozen.
    reference: XOmniAr,
    system: System,
    scores: Box<dyn Scores>,
    variables: Arc<Variables>,
    /// Hashes of what the training builds on.
    foundations: BTreeMap<String, String>,
    /// The drawings that the last step learnt from.
    round: RefCell<Option<Round>>,
    folder: PathBuf,
    device: Device,
    seed: u64,
    batch: usize,
}

impl XOmniGrpoTask {
    /// # Errors
    /// Fails if the definition has a mistake, a checkpoint is absent or does not fit the other, or there is
    /// no such reward.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let settings: GrpoSettings = setup.settings()?;
        settings.check()?;
        let device = setup.device;
        let begin = setup.sources.need("begin")?;
        let system = System::open(setup.sources.need("system")?, settings.decode, device)?;
        let named: Value = read_config(&begin.join("config.json"))?;
        system.whole.check(&named, &begin.display().to_string())?;
        let config = XOmniConfig::read(&begin)?;
        config.check().map_err(TrainError::definition)?;
        let stored = files(&begin)?;
        let variables = setup.variables(vec![(String::new(), stored.clone())]);
        let scores = (setup.rewards)(&settings.reward)?;
        let foundations = foundations(&begin, &system, &*scores)?;
        Ok(Self {
            model: XOmniAr::new(&config, &variables.weights())?,
            reference: network(&config, &stored, device)?,
            tokens: Tokenizer::open(&begin)?,
            foundations,
            config,
            system,
            scores,
            variables,
            round: RefCell::default(),
            folder: setup.folder.to_owned(),
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
            settings,
        })
    }

    /// The policy as it is now, without a graph: for drawing.
    ///
    /// # Errors
    /// Fails if a weight is not finite.
    fn still(&self) -> Result<XOmniAr, TrainError> {
        let vars = self.variables.by_name().into_iter();
        let mut weights: BTreeMap<String, Tensor> = vars
            .map(|(name, var)| (name, var.as_detached_tensor()))
            .collect();
        weights.extend(self.variables.fixed());
        let stored = Arc::new(Files::made(Path::new("the policy"), weights));
        network(&self.config, &stored, &self.device)
    }
}

fn network(
    config: &XOmniConfig,
    stored: &Arc<Files>,
    device: &Device,
) -> Result<XOmniAr, TrainError> {
    Ok(load(stored, DType::F32, device, |weights| {
        XOmniAr::new(config, weights)
    })?)
}

/// Hashes of the weights that the policy begins with, of what makes pictures of its codes, and of the reward.
fn foundations(
    begin: &Path,
    system: &System,
    scores: &dyn Scores,
) -> Result<BTreeMap<String, String>, TrainError> {
    let path = begin.join(WEIGHTS);
    let policy = sha256_of_file(&path).map_err(|error| TrainError::io(&path, error))?;
    let hashes = [
        ("from.begin", policy),
        ("from.system", system.fingerprint()?),
        ("settings.reward", scores.fingerprint()),
    ];
    Ok(hashes.map(|(name, hash)| (name.to_owned(), hash)).into())
}

impl Learner for XOmniGrpoTask {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        self.step_loss(step)
    }

    /// After the last update of the same drawings.
    fn rests(&self, step: u64) -> bool {
        step.is_multiple_of(self.settings.inner)
    }

    fn foundations(&self) -> BTreeMap<String, String> {
        self.foundations.clone()
    }

    fn check(&self) -> Result<Numbers, TrainError> {
        self.checked()
    }

    fn files(&self) -> &'static [&'static str] {
        &FILES
    }

    /// All of X-Omni, with the policy in the place of its autoregressive model.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        self.system.whole.publish(folder, &weights)?;
        Ok(Numbers::new())
    }
}
