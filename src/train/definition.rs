//! The definition of a training.

use super::optimizer::OptimizerSection;
use super::tasks::TrainingTask;
use crate::config::{ConfigError, Document, Kind, Settings, check_name, find};
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
    /// The name in charts and listings.
    pub title: String,
    /// What comes out, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// What the network learns.
    pub task: TrainingTask,
    /// All random choices follow from it.
    #[serde(default = "seed")]
    pub seed: u64,
    /// Steps of the optimizer.
    pub steps: u64,
    /// Samples of a step.
    pub batch: usize,
    /// Steps between two states on the disk, from which an interrupted training continues.
    #[serde(default = "save_every")]
    pub save_every: u64,
    /// Steps between two checks on samples that training does not see; the last step is always followed by
    /// one.
    #[serde(default = "check_every")]
    pub check_every: u64,
    /// What the network begins from, by role: folders of other checkpoints. A name without `/` is that of a
    /// training whose checkpoint is next to this one's or comes with the program.
    #[serde(default)]
    pub from: BTreeMap<String, PathBuf>,
    /// Which parameters learn, by their names: `*` stands for any characters. The others keep what they begin
    /// with.
    #[serde(default = "everything")]
    pub trainable: Vec<String>,
    /// How the weights move.
    #[serde(default)]
    pub optimizer: OptimizerSection,
    /// The network's `config.json`. Empty if it follows from what the network begins from.
    #[serde(default)]
    pub network: Settings,
    /// What belongs to the task, such as the weights of a loss.
    #[serde(default)]
    pub settings: Settings,
}

impl TrainingFile {
    /// Where `unigauge train` puts the checkpoint, and where the models of a study look for it: below the
    /// current folder.
    pub fn folder(&self) -> PathBuf {
        Path::new("checkpoints").join(&self.name)
    }
}

fn everything() -> Vec<String> {
    vec!["*".into()]
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
/// Fails if there is no such training or its definition has a mistake.
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
        let message = format!("more than {BASES} definitions are based on each other");
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
            let message = format!("`{key}` must be from 1 to {most}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_training_is_right_and_named_like_its_file() {
        let listed = crate::config::list(Kind::Training);
        assert!(listed.len() >= 20);
        for listed in listed {
            let change = TrainingChange::default();
            let training = training(&listed.name, Path::new(""), change).unwrap();
            assert_eq!(training.name, listed.name);
        }
    }
}
