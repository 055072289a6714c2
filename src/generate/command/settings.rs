//! The settings of the `command` generator.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Settings of the generator `command`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    /// The program and its arguments; no shell in between.
    pub program: Vec<String>,
    /// Longest time for one reply, in seconds (default 600).
    #[serde(default = "ten_minutes")]
    pub timeout_seconds: f64,
    /// Time that a freshly started program has beyond `timeout_seconds` for its first reply, in seconds
    /// (default 600).
    #[serde(default = "ten_minutes")]
    pub startup_timeout_seconds: f64,
    /// How often in a row the program is started again after it died, hung or talked nonsense (default 3).
    #[serde(default = "three")]
    pub restarts: u32,
    /// Environment variables set for the program, beside the inherited ones.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Folder to start the program in (default: the current one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<PathBuf>,
}

fn ten_minutes() -> f64 {
    600.0
}

fn three() -> u32 {
    3
}
