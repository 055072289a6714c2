//! How far a shard is, as it says itself from time to time: `beat.I-of-N.json`.

use super::error::RunError;
use super::folder::RunFolder;
use super::shard::Shard;
use super::store::{read_json, write_json};
use crate::files::{host_name, job};
use serde::{Deserialize, Serialize};

/// What a shard said last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Which one.
    pub shard: Shard,
    /// How it goes.
    pub state: BeatState,
    /// The machine's name.
    pub host_name: String,
    /// The number of the process there.
    pub process: u32,
    /// The scheduler's job. Absent outside of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Outputs that the shard shall make.
    pub planned: usize,
    /// Outputs that were there when this execution began.
    pub there_before: usize,
    /// Outputs that this execution made.
    pub made: usize,
    /// Outputs that this execution could not make.
    pub failed: usize,
    /// How often the shard was started.
    pub starts: u32,
    /// When this execution began.
    pub began: jiff::Timestamp,
    /// When this was written.
    pub at: jiff::Timestamp,
}

/// How an execution of a shard goes, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BeatState {
    /// It is at work, or was killed.
    Running,
    /// A signal or a fault ended it.
    Stopped,
    /// It did what it could.
    Complete,
}

impl Beat {
    /// The first beat of an execution.
    pub fn begin(folder: &RunFolder, shard: Shard) -> Self {
        let before = Self::read(folder, shard);
        let now = jiff::Timestamp::now();
        Self {
            shard,
            state: BeatState::Running,
            host_name: host_name(),
            process: std::process::id(),
            job: job(),
            planned: 0,
            there_before: 0,
            made: 0,
            failed: 0,
            starts: before.map_or(0, |before| before.starts) + 1,
            began: now,
            at: now,
        }
    }

    /// What a shard said last. `None` if it never did, or the file is damaged.
    pub fn read(folder: &RunFolder, shard: Shard) -> Option<Self> {
        read_json(&folder.beat(shard)).ok()
    }

    /// Writes it, as of now.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub fn write(&mut self, folder: &RunFolder) -> Result<(), RunError> {
        self.at = jiff::Timestamp::now();
        write_json(&folder.beat(self.shard), self)
    }

    /// Seconds that this execution took for an output. `None` if it has made none.
    pub fn seconds_per_output(&self) -> Option<f64> {
        let tried = self.made + self.failed;
        let elapsed = self.at.duration_since(self.began).as_secs_f64();
        (tried > 0).then(|| elapsed / tried as f64)
    }
}
