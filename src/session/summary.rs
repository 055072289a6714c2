//! A run's summary with the names that tables print.

use super::SessionError;
use crate::config::{self, PublishedFile};
use crate::record::{JudgedBy, Summary};
use crate::report::TableInput;
use crate::run::{Manifest, RunFolder, read_json};
use std::path::Path;

/// A summary with the names that tables print.
#[derive(Debug, Clone)]
pub struct TitledSummary {
    /// The numbers.
    pub summary: Summary,
    /// The suite's title.
    pub suite_title: String,
    /// The model's title, with what the command line changed.
    pub model_title: String,
}

impl TitledSummary {
    /// Takes the titles from the run's manifest.
    pub fn new(summary: Summary, manifest: &Manifest) -> Self {
        Self {
            suite_title: manifest.suite.title().to_owned(),
            model_title: model_title(manifest, &summary.judges),
            summary,
        }
    }

    /// Reads the summary of a graded run folder.
    ///
    /// # Errors
    /// Fails if it is not a run folder, or is not graded yet.
    pub fn read(path: &Path) -> Result<Self, SessionError> {
        let (folder, manifest) = open_graded(path)?;
        Ok(Self::new(read_json(&folder.summary())?, &manifest))
    }

    /// The summary as a table takes it.
    pub fn input(&self) -> TableInput<'_> {
        TableInput {
            summary: &self.summary,
            suite_title: &self.suite_title,
            model_title: &self.model_title,
        }
    }
}

/// The model's title. Where it names the judge that was asked for, and one model answered under another name,
/// it names that one.
pub(super) fn model_title(manifest: &Manifest, judges: &[JudgedBy]) -> String {
    let title = manifest.model.title();
    let [judge] = judges else {
        return title.to_owned();
    };
    match &judge.answers {
        Some(answers) if answers.asked != judge.judge => {
            let named = |name: &str| format!("judge {name}, ");
            title.replacen(&named(&answers.asked), &named(&judge.judge), 1)
        }
        _ => title.to_owned(),
    }
}

/// The folder and manifest of a graded run.
///
/// # Errors
/// Fails if it is not a run folder, or is not graded yet.
pub fn open_graded(path: &Path) -> Result<(RunFolder, Manifest), SessionError> {
    let folder = RunFolder::existing(path)?;
    let manifest = Manifest::read(&folder)?;
    if !folder.summary().is_file() {
        return Err(SessionError::NotGraded { run: path.into() });
    }
    Ok((folder, manifest))
}

/// The published numbers of the suites of these runs, each suite once.
///
/// # Errors
/// Fails if a file has a mistake.
pub fn published_beside(summaries: &[TitledSummary]) -> Result<Vec<PublishedFile>, SessionError> {
    let mut suites: Vec<&str> = summaries
        .iter()
        .map(|run| run.summary.suite.as_str())
        .collect();
    suites.dedup();
    let files = suites.into_iter().map(config::published);
    Ok(files
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}
