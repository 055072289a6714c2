//! The settings of the `command` generator.

use crate::files::sha256_of_file;
use crate::model::weights::fingerprint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Settings of the `command` generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    /// The program and its arguments. There is no shell in between.
    pub program: Vec<String>,
    /// Longest time for one reply, in seconds (default 600).
    #[serde(default = "ten_minutes")]
    pub timeout_seconds: f64,
    /// Additional time beyond `timeout_seconds` for the first reply of a program that was just started, in
    /// seconds (default 600).
    #[serde(default = "ten_minutes")]
    pub startup_timeout_seconds: f64,
    /// How often in a row the program is started again after it ended, hung or wrote wrong lines (default 3).
    #[serde(default = "three")]
    pub restarts: u32,
    /// Environment variables for the program, in addition to those of unigauge.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Folder in which the program is started (default: the current one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<PathBuf>,
    /// The largest number of requests in a line, for a program that takes several (default: the number that
    /// the program names).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub batch: Option<usize>,
    /// The largest number of copies of the program that run at the same time (default: as many as `--jobs`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub processes: Option<usize>,
    /// Files and folders whose content is a part of the model, such as the code of the program. When one of
    /// them changes, the outputs are made again. Relative paths start from the folder in which unigauge is
    /// started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<PathBuf>,
}

impl CommandSettings {
    /// The sources with their hashes: the SHA-256 of a file, and a shorter hash of all that a folder has. A
    /// missing source has none. `None` if the settings name no sources.
    pub(super) fn source_hashes(&self) -> Option<Value> {
        if self.sources.is_empty() {
            return None;
        }
        let mut hashes = Map::new();
        for source in &self.sources {
            let hash = if source.is_dir() {
                fingerprint(source)
            } else {
                sha256_of_file(source)
            };
            if let Ok(hash) = hash {
                hashes.insert(source.display().to_string(), hash.into());
            }
        }
        Some(json!({"sources": hashes}))
    }
}

fn ten_minutes() -> f64 {
    600.0
}

fn three() -> u32 {
    3
}
