//! A run as exports read it.

use crate::record::{Grade, Group, Item, Output, Summary};
use serde_json::Value;
use std::path::PathBuf;

/// A graded run with all that an export may need.
#[derive(Debug, Clone)]
pub struct ExportedRun {
    /// The numbers of the run.
    pub summary: Summary,
    /// `manifest.json` as it is.
    pub manifest: Value,
    /// The items, in the suite's order.
    pub items: Vec<Item>,
    /// The last record of each output. Empty if the export does not need them.
    pub outputs: Vec<Output>,
    /// The grades.
    pub grades: Vec<Grade>,
    /// Standard error of the overall number, with items as clusters. `None` if there is none.
    pub error: Option<f64>,
    /// The standard errors of the groups, in the order of the summary.
    pub group_errors: Vec<Option<f64>>,
    /// When the run began.
    pub started: jiff::Timestamp,
    /// When it was complete.
    pub finished: Option<jiff::Timestamp>,
}

impl ExportedRun {
    /// The groups of the summary with their standard errors.
    pub fn groups(&self) -> impl Iterator<Item = (&Group, Option<f64>)> {
        let errors = self.group_errors.iter().copied();
        self.summary.groups.iter().zip(errors)
    }

    /// When the run was complete, or else when it began.
    pub fn time(&self) -> jiff::Timestamp {
        self.finished.unwrap_or(self.started)
    }

    /// How much of the run has a score. `None` if all has.
    pub fn partial(&self) -> Option<String> {
        let Summary {
            partial,
            scored,
            expected,
            ..
        } = self.summary;
        partial.then(|| format!("partial: {scored} of {expected} outputs have a score"))
    }

    /// What a reader of the number must know, in one line: who measured, on how much, and how sure it is.
    pub fn remark(&self) -> String {
        let summary = &self.summary;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let program = &self.manifest["program"];
        let mut parts = vec![
            format!("{} {}", text(&program["name"]), text(&program["version"])),
            format!("suite {} version {}", summary.suite, summary.suite_version),
            format!("run {}", summary.run),
            format!("{} items", summary.overall.n),
        ];
        if let (Some(low), Some(high)) = (summary.overall.low, summary.overall.high) {
            parts.push(format!("95 % interval {low:.4} to {high:.4}"));
        }
        parts.extend(self.partial());
        if !summary.judges.is_empty() {
            let judges: Vec<&str> = summary.judges.iter().map(|by| by.judge.as_str()).collect();
            parts.push(format!("judged by {}", judges.join(", ")));
        }
        parts.join("; ")
    }
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// Where it belongs, from the folder of the export.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}
