//! The manifest: everything that is needed to repeat a run.

use super::definition::{ManifestModel, ManifestSuite};
use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::shard::Shard;
use super::store::{read_json, write_json};
use crate::files::host_name;
use crate::record::Summary;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Version of the run folder's layout; raised when the meaning of a file changes.
pub const FORMAT_VERSION: u32 = 1;

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the run folder's layout.
    pub format_version: u32,
    /// Which program made the run.
    pub program: Program,
    /// The suite's definition as resolved.
    pub suite: ManifestSuite,
    /// The model's definition as resolved, presets applied.
    pub model: ManifestModel,
    /// Name of the run, unique for suite and model.
    pub run: String,
    /// The seed that the seeds of all outputs derive from.
    pub seed: u64,
    /// Outputs for each item.
    pub repeats: u32,
    /// Which items were asked.
    pub selection: Selection,
    /// The shard that wrote this. Absent if the run is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Device and dtype of in-process models.
    pub device: String,
    /// The folder that relative input pictures of the items start from. Absent if no item has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_base: Option<PathBuf>,
    /// How many records of the suite's items were left out and why, where it asks for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Assets used, by id: revision and sha256.
    pub assets: BTreeMap<String, Value>,
    /// What looked at the outputs: settings, model hashes and library versions, by observer.
    pub observers: BTreeMap<String, Value>,
    /// Where it was made.
    pub host: Host,
    /// Command line, without secrets (none is ever passed on it).
    pub command: Vec<String>,
    /// When the run began.
    pub started: jiff::Timestamp,
    /// When the run was complete; absent before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<jiff::Timestamp>,
    /// Where and how the shards of a merged run were made; empty for a run of one process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub executions: Vec<Execution>,
}

/// How one shard was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Which one.
    pub shard: Shard,
    /// The machine's name.
    pub host_name: String,
    /// The machine.
    pub host: Host,
    /// Device and dtype of in-process models.
    pub device: String,
    /// Which program made it.
    pub program: Program,
    /// Its command line.
    pub command: Vec<String>,
    /// When it began.
    pub started: jiff::Timestamp,
    /// Absent when the shard was stopped before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<jiff::Timestamp>,
}

/// The manifest of one shard. Each shard writes its own, so that they do not overwrite each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The machine's name.
    pub host_name: String,
    /// What the shard says about itself.
    #[serde(flatten)]
    pub manifest: Manifest,
}

impl Part {
    /// The manifest of a shard. `None` if there is none, since the shard never began.
    ///
    /// # Errors
    /// Fails if it is damaged.
    pub fn read(folder: &RunFolder, shard: Shard) -> Result<Option<Self>, RunError> {
        let path = folder.manifest_of(Some(shard));
        path.is_file().then(|| read_json(&path)).transpose()
    }

    fn execution(self, shard: Shard) -> Execution {
        let Self {
            host_name,
            manifest,
        } = self;
        Execution {
            shard,
            host_name,
            host: manifest.host,
            device: manifest.device,
            program: manifest.program,
            command: manifest.command,
            started: manifest.started,
            finished: manifest.finished,
        }
    }
}

/// Which program made the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit that it was built from.
    pub commit: String,
}

impl Program {
    /// This program.
    pub fn this() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            commit: env!("UNIGAUGE_COMMIT").into(),
        }
    }
}

/// Which items of the suite were asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only the first items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Only these items, by their identifiers; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

/// Where the run was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The operating system.
    pub os: String,
    /// The processor's architecture.
    pub arch: String,
    /// Cores that the process may use.
    pub cores: usize,
}

impl Host {
    /// This machine.
    pub fn this() -> Self {
        Self {
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Manifest {
    /// The rule and its options that graded the run, as its summary notes them. Where the summary of an
    /// earlier version notes nothing, they are those of the run's suite.
    pub fn grading(&self, summary: &Summary) -> Value {
        let noted = summary.extra.get(Summary::GRADING).cloned();
        noted.unwrap_or_else(|| self.suite.grading())
    }

    /// Reads the manifest of a run.
    ///
    /// # Errors
    /// Fails if it is absent, damaged, or of a newer format.
    pub fn read(folder: &RunFolder) -> Result<Self, RunError> {
        let manifest: Self = read_json(&folder.manifest())?;
        if manifest.format_version > FORMAT_VERSION {
            return Err(RunError::NotARun {
                path: folder.root().to_path_buf(),
                reason: format!(
                    "it has format {}, but this version of unigauge reads formats up to {FORMAT_VERSION}",
                    manifest.format_version
                ),
            });
        }
        Ok(manifest)
    }

    /// Writes the manifest durably.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub fn write(&self, folder: &RunFolder) -> Result<(), RunError> {
        write_json(&folder.manifest(), self)?;
        if self.shard.is_none() {
            // The manifest of the whole run is this one again. One that stays says the same or is older.
            let _ = std::fs::remove_file(folder.manifest_of_whole());
        }
        Ok(())
    }

    /// The manifest of what this execution wrote before: of its shard, or of the run.
    ///
    /// # Errors
    /// Fails if it is damaged, or of a newer format.
    pub fn read_before(folder: &RunFolder, shard: Option<Shard>) -> Result<Option<Self>, RunError> {
        if let Some(shard) = shard
            && let Some(part) = Part::read(folder, shard)?
        {
            return Ok(Some(part.manifest));
        }
        let there = folder.manifest().is_file();
        there.then(|| Self::read(folder)).transpose()
    }

    /// Writes the manifest of this execution. A shard writes its own part, and the manifest of the run only
    /// where that does not say the same already or calls the run finished.
    ///
    /// # Errors
    /// Fails if the disk refuses, or the manifest that is there is damaged.
    pub fn write_own(&self, folder: &RunFolder) -> Result<(), RunError> {
        let Some(shard) = self.shard else {
            return self.write(folder);
        };
        let part = Part {
            host_name: host_name(),
            manifest: self.clone(),
        };
        write_json(&folder.manifest_of(Some(shard)), &part)?;
        if folder.manifest().is_file() {
            let there = Self::read(folder)?;
            if self.says_the_same(&there) {
                return Ok(());
            }
            if there.shard.is_none() && folder.stream(Stream::Outputs, None).is_file() {
                write_json(&folder.manifest_of_whole(), &there)?;
            }
        }
        let unfinished = Self {
            finished: None,
            ..self.clone()
        };
        unfinished.write(folder)
    }

    /// Whether another manifest is of the same unfinished run. Who made the outputs, where and when, does not
    /// matter.
    fn says_the_same(&self, there: &Self) -> bool {
        let of_this = Self {
            shard: there.shard,
            device: there.device.clone(),
            host: there.host.clone(),
            command: there.command.clone(),
            started: there.started,
            finished: None,
            executions: Vec::new(),
            ..self.clone()
        };
        of_this == *there
    }

    /// Makes this the manifest of a whole run from the manifests of its shards.
    ///
    /// # Errors
    /// Fails if the part of a shard is damaged.
    pub fn join(&mut self, folder: &RunFolder, shards: &[Shard]) -> Result<(), RunError> {
        self.shard = None;
        self.executions.clear();
        for &shard in shards {
            let part = Part::read(folder, shard)?;
            self.executions
                .extend(part.map(|part| part.execution(shard)));
        }
        let started = self.executions.iter().map(|execution| execution.started);
        self.started = started.min().unwrap_or(self.started);
        Ok(())
    }

    /// The first of the settings that differ and shape outputs, as `path: own → the run's`. The number format
    /// of weights may differ, since shards may have different devices.
    pub(super) fn other_settings(&self, run: &Self) -> Option<String> {
        let mut changes = Vec::new();
        let [own, of_run] = [self, run].map(|manifest| {
            let model = manifest.model.as_json();
            let mut weights = model["weights"].clone();
            if let Some(weights) = weights.as_object_mut() {
                weights.shift_remove("dtype");
            }
            [
                model["generator"].clone(),
                model["settings"].clone(),
                weights,
            ]
        });
        for (key, (own, of_run)) in ["generator", "settings", "weights"]
            .into_iter()
            .zip(own.iter().zip(&of_run))
        {
            differ(&format!("model.{key}"), own, of_run, &mut changes);
        }
        differ("seed", &self.seed.into(), &run.seed.into(), &mut changes);
        changes.first().map(ToString::to_string)
    }

    /// What differs between the definitions of two manifests, as `path: old → new`, at most `limit` lines.
    pub fn changes(&self, newer: &Self, limit: usize) -> Vec<String> {
        let mut changes = self.definitions(newer);
        let more = changes.len().saturating_sub(limit);
        changes.truncate(limit);
        let mut changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        if more > 0 {
            changes.push(format!("… and {more} more"));
        }
        changes
    }

    /// Everything that differs and may have changed a score: definitions, seed, selection, program, device,
    /// assets, observers, host. The run's name, its times and its command line always differ and are left
    /// out.
    pub fn differences(&self, newer: &Self) -> Vec<Changed> {
        let mut changes = self.definitions(newer);
        let plain = |value: &dyn Fn(&Self) -> serde_json::Result<Value>| {
            // What has no JSON form differs from all that has one.
            let told = |error: serde_json::Error| Value::String(error.to_string());
            [self, newer].map(|manifest| value(manifest).unwrap_or_else(told))
        };
        let mut add = |path: &str, value: &dyn Fn(&Self) -> serde_json::Result<Value>| {
            let [old, new] = plain(value);
            differ(path, &old, &new, &mut changes);
        };
        add("selection", &|m| serde_json::to_value(&m.selection));
        add("program", &|m| serde_json::to_value(&m.program));
        add("device", &|m| serde_json::to_value(&m.device));
        add("assets", &|m| serde_json::to_value(&m.assets));
        add("observers", &|m| serde_json::to_value(&m.observers));
        add("host", &|m| serde_json::to_value(&m.host));
        changes
    }

    fn definitions(&self, newer: &Self) -> Vec<Changed> {
        let mut changes = Vec::new();
        let (old, new) = (self.suite.as_json(), newer.suite.as_json());
        differ("suite", old, new, &mut changes);
        let (old, new) = (self.model.as_json(), newer.model.as_json());
        differ("model", old, new, &mut changes);
        differ("seed", &self.seed.into(), &newer.seed.into(), &mut changes);
        let (old, new) = (self.repeats.into(), newer.repeats.into());
        differ("repeats", &old, &new, &mut changes);
        changes
    }
}

/// A value that differs between two manifests. Null if it is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// Keys, joined by dots.
    pub path: String,
    /// The value in the older manifest.
    pub old: Value,
    /// The value in the newer one.
    pub new: Value,
}

impl std::fmt::Display for Changed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} → {}", self.path, self.old, self.new)
    }
}

fn differ(path: &str, old: &Value, new: &Value, changes: &mut Vec<Changed>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let null = Value::Null;
                differ(
                    &format!("{path}.{key}"),
                    a.get(key).unwrap_or(&null),
                    b.get(key).unwrap_or(&null),
                    changes,
                );
            }
        }
        _ if old != new => changes.push(Changed {
            path: path.to_owned(),
            old: old.clone(),
            new: new.clone(),
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changed_settings_are_named_by_their_path() {
        let mut changes = Vec::new();
        differ(
            "model",
            &json!({"settings": {"blur": 1, "ink": "#000"}}),
            &json!({"settings": {"blur": 2, "ink": "#000", "drop": 0.1}}),
            &mut changes,
        );
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            changes,
            [
                "model.settings.blur: 1 → 2",
                "model.settings.drop: null → 0.1"
            ]
        );
    }
}
