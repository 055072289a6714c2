//! One run as the report sees it.

use super::table::TableInput;
use crate::record::{Evidence, Grade, Item, Output, Summary};
use std::path::PathBuf;
use std::sync::Arc;

/// One run as the report sees it.
#[derive(Debug, Clone)]
pub struct RunView {
    /// The run folder; `outputs[i].file` is relative to it.
    pub dir: PathBuf,
    /// The suite's name.
    pub suite: String,
    /// The suite's title.
    pub suite_title: String,
    /// The suite's version.
    pub suite_version: String,
    /// The model's name.
    pub model: String,
    /// The model's title.
    pub model_title: String,
    /// The run's name.
    pub run: String,
    /// What a reader must know about the model's settings ("rewritten prompts", "blur 2 px").
    pub variant_notes: Vec<String>,
    /// `manifest.json` as it is. The page shows it folded.
    pub manifest: serde_json::Value,
    /// The numbers of the run.
    pub summary: Summary,
    /// What was asked.
    pub items: Arc<Vec<Item>>,
    /// What the model answered.
    pub outputs: Vec<Output>,
    /// What the observers saw.
    pub evidence: Vec<Evidence>,
    /// What the rule made of it.
    pub grades: Vec<Grade>,
}

impl RunView {
    /// The run as one row of a table.
    pub fn table_input(&self) -> TableInput<'_> {
        TableInput {
            summary: &self.summary,
            suite_title: &self.suite_title,
            model_title: &self.model_title,
        }
    }
}
