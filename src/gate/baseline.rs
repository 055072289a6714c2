//! The baseline file: the scores of runs, item by item. It is small enough for a repository, and has one line
//! for each item, so that people can read its changes.

use super::lines::Line;
use crate::files::write_durable;
use crate::record::{Outcomes, RunFacts};
use crate::run::{Program, RunError};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Version of the file's layout.
const FORMAT_VERSION: u32 = 1;

/// The content of a baseline file.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// At most one run for each suite and model.
    pub runs: Vec<Outcomes>,
    /// The accepted changes, oldest first.
    pub accepted: Vec<Accepted>,
}

/// A change of the baseline that somebody accepted with a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// When it was accepted.
    pub when: jiff::Timestamp,
    /// Why it was accepted.
    pub reason: String,
    /// The name of the suite.
    pub suite: String,
    /// Name of the model.
    pub model: String,
    /// The official number before and after.
    pub from: Option<f64>,
    /// The overall number after.
    pub to: Option<f64>,
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    #[diagnostic(help("make it with `unigauge baseline save RUN --to FILE`"))]
    Read {
        /// Path of the baseline file.
        path: PathBuf,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The content is not a baseline.
    #[error("{} is not a baseline: {reason}", path.display())]
    #[diagnostic(help(
        "restore the file, or make it again with `unigauge baseline save RUN --to FILE`"
    ))]
    Content {
        /// Path of the baseline file.
        path: PathBuf,
        /// What is wrong with the content.
        reason: String,
    },
    /// The file already has a run of this suite and model.
    #[error("{} already has a run of {suite} by {model}", path.display())]
    #[diagnostic(help(
        "`unigauge baseline accept` replaces the run and records the reason; `--replace` replaces it without a reason"
    ))]
    Held {
        /// Path of the baseline file.
        path: PathBuf,
        /// Name of the suite.
        suite: String,
        /// Name of the model.
        model: String,
    },
    /// The file has no run of this suite and model.
    #[error("{} has no run of {suite} by {model}", path.display())]
    #[diagnostic(help("add it with `unigauge baseline save RUN --to FILE`"))]
    NotHeld {
        /// Path of the baseline file.
        path: PathBuf,
        /// Name of the suite.
        suite: String,
        /// Name of the model.
        model: String,
    },
    /// The file cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Write(#[from] RunError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format_version: u32,
    program: Program,
    #[serde(default)]
    accepted: Vec<Accepted>,
    runs: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    run: RunFacts,
    items: Vec<Line>,
}

impl Baseline {
    /// # Errors
    /// Fails if the file cannot be read, or is not a baseline of a version that this program knows.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let bytes = std::fs::read(path).map_err(|source| BaselineError::Read {
            path: path.into(),
            source,
        })?;
        let content = |reason: String| BaselineError::Content {
            path: path.into(),
            reason,
        };
        let file: File =
            serde_json::from_slice(&bytes).map_err(|error| content(error.to_string()))?;
        if file.format_version > FORMAT_VERSION {
            return Err(content(format!(
                "it has format {}, but this version of unigauge reads formats up to {FORMAT_VERSION}",
                file.format_version
            )));
        }
        let outcomes = |entry: Entry| -> Result<Outcomes, BaselineError> {
            let repeats = entry.run.repeats;
            let items = entry.items.into_iter().map(|line| line.outcome(repeats));
            let items: Option<Vec<_>> = items.collect();
            let name = format!("{} by {}", entry.run.suite, entry.run.model);
            Ok(Outcomes {
                items: items.ok_or_else(|| {
                    content(format!("an item of {name} does not have {repeats} outputs"))
                })?,
                facts: entry.run,
            })
        };
        Ok(Self {
            runs: file
                .runs
                .into_iter()
                .map(outcomes)
                .collect::<Result<_, _>>()?,
            accepted: file.accepted,
        })
    }

    /// Writes the file, either as a whole or not at all.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), BaselineError> {
        let json = |value: serde_json::Result<String>| {
            value.map_err(|error| RunError::Invalid(error.to_string()))
        };
        let list = |lines: Vec<String>| {
            if lines.is_empty() {
                "[]".to_owned()
            } else {
                format!("[\n{}\n]", lines.join(",\n"))
            }
        };
        let mut entries = Vec::new();
        for run in &self.runs {
            let items = run
                .items
                .iter()
                .map(|item| json(serde_json::to_string(&Line::new(item))));
            entries.push(format!(
                "{{\"run\": {},\n\"items\": {}}}",
                json(serde_json::to_string_pretty(&run.facts))?,
                list(items.collect::<Result<_, _>>()?)
            ));
        }
        let accepted = self.accepted.iter().map(|a| json(serde_json::to_string(a)));
        let text = format!(
            "{{\"format_version\": {FORMAT_VERSION},\n\"program\": {},\n\"accepted\": {},\n\"runs\": {}}}\n",
            json(serde_json::to_string(&Program::this()))?,
            list(accepted.collect::<Result<_, _>>()?),
            list(entries)
        );
        Ok(write_durable(path, text.as_bytes()).map_err(RunError::from)?)
    }

    /// The index of the run with this suite and model.
    pub fn index_of(&self, run: &RunFacts) -> Option<usize> {
        let same = |own: &Outcomes| own.facts.suite == run.suite && own.facts.model == run.model;
        self.runs.iter().position(same)
    }

    /// The run of these that another run is held against: the one of the same suite and model, or else the
    /// only one of the suite.
    pub fn counterpart<'a>(runs: &'a [Outcomes], run: &RunFacts) -> Option<&'a Outcomes> {
        let of_suite = runs.iter().filter(|own| own.facts.suite == run.suite);
        let of_suite: Vec<&Outcomes> = of_suite.collect();
        let same = |own: &&&Outcomes| own.facts.model == run.model;
        match (of_suite.iter().find(same), &of_suite[..]) {
            (Some(own), _) => Some(own),
            (None, [only]) => Some(only),
            _ => None,
        }
    }

    /// Adds a run, or replaces the one with the same suite and model, and records the reason.
    pub fn accept(&mut self, run: Outcomes, reason: &str, when: jiff::Timestamp) {
        let place = self.index_of(&run.facts);
        let from = place.and_then(|at| self.runs[at].facts.value);
        self.accepted.push(Accepted {
            when,
            reason: reason.to_owned(),
            suite: run.facts.suite.clone(),
            model: run.facts.model.clone(),
            from,
            to: run.facts.value,
        });
        self.insert(run);
    }

    /// Adds a run, or replaces the one with the same suite and model.
    pub fn insert(&mut self, run: Outcomes) {
        match self.index_of(&run.facts) {
            Some(at) => self.runs[at] = run,
            None => self.runs.push(run),
        }
    }
}
