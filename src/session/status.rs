//! How far runs are, from their folders alone.

use super::SessionError;
use crate::files::SILENCE;
use crate::record::Item;
use crate::run::{
    Beat, BeatState, Manifest, RunFolder, Shard, Tally, array_expression, folders, read_all,
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How far a run is.
#[derive(Debug, Clone, Serialize)]
pub struct RunStatus {
    /// The run folder.
    pub run: PathBuf,
    /// Its shards, or one entry for a run that is not divided.
    pub shards: Vec<ShardStatus>,
    /// Outputs that the run shall have.
    pub planned: usize,
    /// Outputs that are there.
    pub done: usize,
    /// Outputs that could not be made.
    pub failed: usize,
    /// Outputs that nobody tried to make yet.
    pub missing: usize,
    /// Seconds that one process takes for an output, as the mean of those that are at work or were last.
    pub seconds_per_output: Option<f64>,
    /// Seconds until the processes that are at work now would have made all that is missing.
    pub seconds_left: Option<f64>,
    /// The shards that must be started again, counted from 0, as an array takes them: `3,7,12-14`. `None` if
    /// all are complete or at work.
    pub again: Option<String>,
    /// Whether every output is there, and every shard has ended.
    pub complete: bool,
}

/// How far a shard is.
#[derive(Debug, Clone, Serialize)]
pub struct ShardStatus {
    /// Its outputs.
    #[serde(flatten)]
    pub tally: Tally,
    /// What it does.
    pub state: ShardState,
    /// The machine that makes it or made it last.
    pub host_name: Option<String>,
    /// The scheduler's job.
    pub job: Option<String>,
    /// Seconds since its last sign of life.
    pub silent: Option<u64>,
    /// Seconds that it takes for an output.
    pub seconds_per_output: Option<f64>,
    /// How often it was started.
    pub starts: Option<u32>,
}

/// What a shard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShardState {
    /// It never started.
    Missing,
    /// A process makes it.
    Running,
    /// A signal or a fault ended it; the same command continues it.
    Stopped,
    /// Its process was killed, or gives no sign of life.
    Dead,
    /// It has ended, and tried all its outputs.
    Complete,
}

impl ShardState {
    /// The word for a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Dead => "dead",
            Self::Complete => "complete",
        }
    }
}

impl RunStatus {
    /// Finds the run folders at or below a path, and reads how far each is.
    ///
    /// # Errors
    /// Fails if there is none, or a file of one is damaged.
    pub fn find(path: &Path) -> Result<Vec<Self>, SessionError> {
        let mut runs = Vec::new();
        // RESULTS/SUITE/MODEL/RUN
        run_folders(path, 3, &mut runs);
        if runs.is_empty() {
            // It says what a run folder has.
            RunFolder::existing(path)?;
        }
        runs.iter().map(Self::read).collect()
    }

    /// Reads how far a run is.
    ///
    /// # Errors
    /// Fails if a file of the folder is damaged.
    pub fn read(folder: &RunFolder) -> Result<Self, SessionError> {
        let manifest = Manifest::read(folder)?;
        let items: Vec<Item> = read_all(&folder.items())?;
        let count = folder.division()?;
        let tallies = Tally::of_run(folder, &manifest, &items, count)?;
        let whole = manifest.shard.is_none() && manifest.finished.is_some();
        let shards: Vec<ShardStatus> = tallies
            .into_iter()
            .map(|tally| ShardStatus::new(folder, tally, whole))
            .collect();
        let sum = |part: fn(&Tally) -> usize| shards.iter().map(|shard| part(&shard.tally)).sum();
        let missing: usize = sum(Tally::missing);
        let times: Vec<f64> = shards.iter().filter_map(|s| s.seconds_per_output).collect();
        let running = shards.iter().filter(|s| s.state == ShardState::Running);
        let per_second: f64 = running
            .filter_map(|shard| shard.seconds_per_output)
            .filter(|seconds| *seconds > 0.0)
            .map(|seconds| 1.0 / seconds)
            .sum();
        let again = numbers_to_start(&shards);
        Ok(Self {
            run: folder.root().to_owned(),
            planned: sum(|tally| tally.planned),
            done: sum(|tally| tally.done),
            failed: sum(|tally| tally.failed),
            missing,
            seconds_per_output: (!times.is_empty())
                .then(|| times.iter().sum::<f64>() / times.len() as f64),
            seconds_left: (missing > 0 && per_second > 0.0).then(|| missing as f64 / per_second),
            again: (!again.is_empty()).then(|| array_expression(&again)),
            complete: shards.iter().all(|shard| {
                shard.state == ShardState::Complete && shard.tally.done == shard.tally.planned
            }),
            shards,
        })
    }

    /// The shards that must be started again, counted from 0.
    pub fn to_start(&self) -> Vec<usize> {
        numbers_to_start(&self.shards)
    }
}

fn numbers_to_start(shards: &[ShardStatus]) -> Vec<usize> {
    let shards = shards.iter().filter(|shard| shard.is_to_start());
    shards
        .filter_map(|shard| shard.tally.shard.map(Shard::number))
        .collect()
}

impl ShardStatus {
    /// `whole` says that one process without a shard has finished the run.
    fn new(folder: &RunFolder, tally: Tally, whole: bool) -> Self {
        let holder = folder.holder(tally.shard);
        let beat = tally.shard.and_then(|shard| Beat::read(folder, shard));
        let silent = holder.as_ref().and_then(|holder| holder.silent());
        let all_tried = tally.missing() == 0;
        let state = match (&holder, beat.as_ref().map(|beat| beat.state)) {
            (Some(_), _) if silent.is_some_and(|silent| silent >= SILENCE) => ShardState::Dead,
            (Some(_), _) => ShardState::Running,
            (None, _) if whole && all_tried => ShardState::Complete,
            (None, Some(BeatState::Running)) => ShardState::Dead,
            (None, Some(BeatState::Stopped)) => ShardState::Stopped,
            (None, Some(BeatState::Complete) | None) if all_tried => ShardState::Complete,
            (None, None) if tally.done + tally.failed == 0 => ShardState::Missing,
            (None, _) => ShardState::Stopped,
        };
        let of_beat = beat.as_ref().map(|beat| {
            let age = jiff::Timestamp::now().duration_since(beat.at).as_secs();
            u64::try_from(age).unwrap_or(0)
        });
        let of_holder = holder.as_ref().and_then(|holder| holder.host());
        Self {
            tally,
            state,
            host_name: of_holder
                .or(beat.as_ref().map(|beat| beat.host_name.as_str()))
                .map(str::to_owned),
            job: beat.as_ref().and_then(|beat| beat.job.clone()),
            silent: silent.map(|silent| silent.as_secs()).or(of_beat),
            seconds_per_output: beat.as_ref().and_then(Beat::seconds_per_output),
            starts: beat.map(|beat| beat.starts),
        }
    }

    /// Whether nobody makes it and something is left to do.
    fn is_to_start(&self) -> bool {
        let unfinished = self.tally.failed > 0 || self.tally.missing() > 0;
        self.state != ShardState::Running && (self.state != ShardState::Complete || unfinished)
    }
}

fn run_folders(path: &Path, depth: usize, found: &mut Vec<RunFolder>) {
    if let Ok(folder) = RunFolder::existing(path) {
        found.push(folder);
    } else if depth > 0 {
        for below in folders(path) {
            run_folders(&below, depth - 1, found);
        }
    }
}
