//! The definition of a training.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, check_name, find};
use crate::config::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is trained, on what and for how long (`configs/training/NAME.toml`).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingFile {
    /// Another training, by name or by a path relative to this file: what this file does not say is as there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Short name, that of the folder of the checkpoint: letters, digits, `-`, `_`, `.`.
    pub name: String,
    pub title: String,
    /// What comes out, in a sentence or two.
    #[serde(default)]
    pub description: String,
    pub task: TrainingTask,
    /// All random choices follow from it.
    #[serde(default = "seed")]
    pub seed: u64,
    /// Steps of the optimizer.
    pub steps: u64,
    /// Samples of a step.
    pub batch: usize,
    /// Steps between two states on the disk, from which an interrupted training goes on.
    #[serde(default = "save_every")]
    pub save_every: u64,
    /// Steps between two checks on samples that training does not see; the last step is always followed by one.
    #[serde(default = "check_every")]
    pub check_every: u64,
    /// What the network begins from, by role: folders of other checkpoints. A name without `/` is that of a training whose
    /// checkpoint lies beside this one's or comes with the program.
    #[serde(default)]
    pub from: BTreeMap<String, PathBuf>,
    /// Which parameters learn, by their names: `*` stands for any characters. The others keep what they begin with.
    #[serde(default = "everything")]
    pub trainable: Vec<String>,
    #[serde(default)]
    pub optimizer: OptimizerSection,
    /// The network's `config.json`; empty where it follows from what the network begins from.
    #[serde(default)]
    pub network: Settings,
    /// What belongs to the task, such as the weights of a loss.
    #[serde(default)]
    pub settings: Settings,
}

impl TrainingFile {
    /// Where `unigauge train` puts the checkpoint, and where the models of a study look for it: below the current folder.
    pub fn folder(&self) -> PathBuf {
        Path::new("checkpoints").join(&self.name)
    }
}

fn everything() -> Vec<String> {
    vec!["*".into()]
}

/// What a network learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingTask {
    /// An autoencoder of pictures of the miniature world, in the layout of FLUX.1's.
    Vae,
    /// FLUX.1 text-to-image with its two text encoders, from nothing: they learn together, over a frozen autoencoder.
    Flux,
    /// SigLIP's vision tower beside a text tower: pictures of the miniature world with descriptions of all they show.
    Siglip,
    /// DINOv2 by self-distillation on the same pictures.
    Dinov2,
    /// Qwen2.5-VL on captions of the miniature world, descriptions of its pictures and questions about them.
    QwenVl,
    /// The two stages of UniWorld-V1 over a frozen Qwen2.5-VL and a frozen reference encoder.
    Uniworld,
    /// X-Omni's tokenizer over a frozen SigLIP: codes of which a frozen Qwen2.5-VL answers questions.
    SiglipVq,
    /// X-Omni's autoregressive model over the codes of a frozen tokenizer, beginning as Qwen2.5-VL or as an earlier stage.
    XomniAr,
    /// X-Omni's diffusion decoder over the codes of a frozen tokenizer, beginning as FLUX.1; the checkpoint is all of X-Omni.
    XomniDecoder,
}

/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) with a warm-up, a clipped gradient and a moving average of the weights.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSection {
    pub learning_rate: f64,
    /// Steps over which the learning rate rises from 0.
    pub warmup: u64,
    /// Part of the learning rate that is left at the end of a half cosine; 1 keeps it.
    pub final_rate: f64,
    pub betas: [f64; 2],
    pub eps: f64,
    pub weight_decay: f64,
    /// Longest gradient, over all parameters.
    pub clip: f64,
    /// How much of the moving average each step keeps; it keeps less during the first steps, as in diffusers.
    pub ema: f64,
}

impl Default for OptimizerSection {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            warmup: 100,
            final_rate: 0.05,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            clip: 1.0,
            ema: 0.999,
        }
    }
}

fn seed() -> u64 {
    1
}

fn save_every() -> u64 {
    500
}

fn check_every() -> u64 {
    1000
}

/// What a caller changes of a training.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrainingChange<'a> {
    /// In place of the definition's own; the training's name then ends in `-seedN`.
    pub seed: Option<u64>,
    /// Keys, as a command line gives them (`optimizer.learning_rate=1e-3`).
    pub set: &'a [String],
}

/// Loads a training by name or by the path of its file; a relative path starts from `from`.
///
/// # Errors
/// When there is no such training or its definition has a mistake.
pub fn training(
    name: &str,
    from: &Path,
    change: TrainingChange<'_>,
) -> Result<TrainingFile, ConfigError> {
    let (document, settings) = over_base(name, from, BASES)?;
    let over = Settings::parse("--set", &change.set.join("\n"))?;
    let mut training = checked(&document, &settings.merged(&over))?;
    if let Some(seed) = change.seed {
        training.seed = seed;
        training.name = format!("{}-seed{seed}", training.name);
    }
    Ok(training)
}

/// Longest chain of definitions that begin as another one.
const BASES: usize = 8;

/// The part of a definition that says how it begins.
#[derive(Deserialize)]
struct Header {
    /// Never that of the base: two trainings would share a folder.
    #[serde(rename = "name")]
    _name: String,
    base: Option<String>,
}

/// A definition and its keys over those of the definitions that it begins as.
fn over_base(name: &str, from: &Path, left: usize) -> Result<(Document, Settings), ConfigError> {
    let (document, origin) = find(Kind::Training, name, from)?;
    let header: Header = document.typed()?;
    let own = document.settings(&[]);
    let Some(base) = header.base else {
        return Ok((document, own));
    };
    if left == 0 {
        let message = format!("more than {BASES} definitions begin as one another");
        return Err(document.mistake(&["base"], message, None));
    }
    let (_, below) = over_base(&base, origin.folder(), left - 1)?;
    Ok((document, below.merged(&own)))
}

/// The checks that go beyond types.
fn checked(document: &Document, settings: &Settings) -> Result<TrainingFile, ConfigError> {
    let mut training: TrainingFile = settings.read()?;
    training.base = None;
    check_name(document, &training.name)?;
    let counts = [
        ("steps", training.steps, 100_000_000),
        ("batch", training.batch as u64, 65_536),
        ("save_every", training.save_every, u64::MAX),
        ("check_every", training.check_every, u64::MAX),
    ];
    for (key, value, most) in counts {
        if value == 0 || value > most {
            let message = format!("`{key}` must lie within 1 and {most}");
            return Err(document.mistake(&[key], message, None));
        }
    }
    let optimizer = &training.optimizer;
    let share = 0.0..=1.0;
    let numbers = [
        ("learning_rate", optimizer.learning_rate > 0.0, "above 0"),
        (
            "final_rate",
            share.contains(&optimizer.final_rate),
            "0 to 1",
        ),
        (
            "betas",
            optimizer.betas.iter().all(|beta| (0.0..1.0).contains(beta)),
            "0 to below 1",
        ),
        ("eps", optimizer.eps > 0.0, "above 0"),
        ("weight_decay", optimizer.weight_decay >= 0.0, "0 or more"),
        ("clip", optimizer.clip > 0.0, "above 0"),
        ("ema", (0.0..1.0).contains(&optimizer.ema), "0 to below 1"),
    ];
    for (key, holds, expected) in numbers {
        if !holds {
            let message = format!("`{key}` must be {expected}");
            return Err(document.mistake(&["optimizer", key], message, None));
        }
    }
    Ok(training)
}
