//! The curve of a training: JSON lines with the step and its numbers.

use super::TrainError;
use super::task::Numbers;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The file of a training's numbers, with one line for each step.
pub const FILE: &str = "curve.jsonl";
/// Steps of which a complete training keeps every line, and how far apart the later ones are.
pub const BEGINNING: u64 = 400;
const SELDOM: u64 = 20;

/// What a training is followed by.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// `reward` where there is one, since the loss says little then; else `loss`.
    pub name: &'static str,
    /// Its values by their steps.
    pub values: BTreeMap<u64, f64>,
}

/// The rewards of a curve by their steps, or else its losses.
///
/// # Errors
/// Fails if the file cannot be read.
pub fn course(path: &Path) -> Result<Course, TrainError> {
    let text = std::fs::read_to_string(path).map_err(|error| TrainError::io(path, error))?;
    let values = |name: &str| -> BTreeMap<u64, f64> {
        let pairs = text.lines().filter_map(|line| {
            let record: Value = serde_json::from_str(line).ok()?;
            Some((record["step"].as_u64()?, record[name].as_f64()?))
        });
        pairs.collect()
    };
    let rewards = values("reward");
    Ok(if rewards.is_empty() {
        Course {
            name: "loss",
            values: values("loss"),
        }
    } else {
        Course {
            name: "reward",
            values: rewards,
        }
    })
}

/// `curve.jsonl` of a training's folder.
pub(super) struct Curve {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Curve {
    /// Opens the curve of a training that continues after a step. Later lines, and a torn one, are removed,
    /// since their steps are done again.
    ///
    /// # Errors
    /// Fails if the file cannot be read or written.
    pub(super) fn open(folder: &Path, step: u64) -> Result<Self, TrainError> {
        let path = folder.join(FILE);
        let failed = |error: std::io::Error| TrainError::io(&path, error);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text.map_err(failed)?,
        };
        let kept = text.split_inclusive('\n').filter(|line| {
            let record: Option<Value> = serde_json::from_str(line).ok();
            let at = record.and_then(|record| record["step"].as_u64());
            line.ends_with('\n') && at.is_some_and(|at| at <= step)
        });
        super::state::replace(&path, kept.collect::<String>().as_bytes())?;
        let file = File::options().append(true).open(&path).map_err(failed)?;
        Ok(Self {
            file: BufWriter::new(file),
            path,
        })
    }

    /// # Errors
    /// Fails if the line cannot be written.
    pub(super) fn add(&mut self, step: u64, numbers: &Numbers) -> Result<(), TrainError> {
        let mut record = Map::new();
        record.insert("step".into(), step.into());
        for (name, value) in numbers {
            record.insert(name.clone(), (*value).into());
        }
        let line = Value::Object(record);
        writeln!(self.file, "{line}").map_err(|error| TrainError::io(&self.path, error))
    }

    /// Shortens the curve of a complete training. Every step of its beginning stays, then every twentieth
    /// step, and every check.
    ///
    /// # Errors
    /// Fails if the file cannot be read or written.
    pub(super) fn thin(&mut self) -> Result<(), TrainError> {
        self.flush()?;
        let text = std::fs::read_to_string(&self.path)
            .map_err(|error| TrainError::io(&self.path, error))?;
        let kept = text.split_inclusive('\n').filter(|line| {
            let record: Value = serde_json::from_str(line).unwrap_or_default();
            let step = record["step"].as_u64().unwrap_or_default();
            step <= BEGINNING || step.is_multiple_of(SELDOM) || record["loss"].is_null()
        });
        super::state::replace(&self.path, kept.collect::<String>().as_bytes())
    }

    /// # Errors
    /// Fails if the lines cannot be written.
    pub(super) fn flush(&mut self) -> Result<(), TrainError> {
        let written = self.file.flush();
        written.map_err(|error| TrainError::io(&self.path, error))
    }
}
