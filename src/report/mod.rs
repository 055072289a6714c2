//! How it is shown: tables, charts and one self-contained page with a gallery. Reads records, computes no score.
//!
//! | file | idea |
//! |---|---|
//! | [`table`] | rows (models × runs) and columns (overall and groups) with best and second |
//! | [`export`] | one small file per table format |
//! | [`chart`] | bars, radar, heat map and distribution, each as SVG and PNG |
//! | `files` | files that are whole or not there, and links between them |
//! | [`gallery`] | the cards' data: output, evidence to draw, grade and reason |
//! | [`thumbs`] | small pictures, made in parallel |
//! | `judged` | rows that other judges stand behind |
//! | `published` | what papers printed, below measured rows or as a table of its own |
//! | `remarks` | what is said below a table of runs, and of which rows it is true |
//! | `pairs` | a measured row beside the printed one of the same model |
//! | [`page`] | the HTML page |
//! | [`write()`] | all of it into one folder |

pub mod chart;
pub mod export;
pub(crate) mod files;
pub mod gallery;
mod judged;
pub mod page;
mod pairs;
mod published;
mod remarks;
mod score;
pub mod table;
pub mod thumbs;
mod write;

pub(crate) use files::{create, put};
pub(crate) use page::inline;
pub use pairs::{Measured, Pair, Paired};
pub use table::{Table, TableInput, TableSettings, Unit};
pub use write::{ReportOptions, Written, write};

use crate::record::{Evidence, Grade, Item, Output, Summary};
use std::path::PathBuf;
use std::sync::Arc;

/// One run as the report sees it.
#[derive(Debug, Clone)]
pub struct RunView {
    /// The run folder; `outputs[i].file` is relative to it.
    pub dir: PathBuf,
    pub suite: String,
    pub suite_title: String,
    pub suite_version: String,
    pub model: String,
    pub model_title: String,
    pub run: String,
    /// What a reader must know about the model's settings ("rewritten prompts", "blur 2 px").
    pub variant_notes: Vec<String>,
    /// `manifest.json` as it stands; shown folded on the page.
    pub manifest: serde_json::Value,
    pub summary: Summary,
    pub items: Arc<Vec<Item>>,
    pub outputs: Vec<Output>,
    pub evidence: Vec<Evidence>,
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

/// Why a report could not be written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ReportError {
    /// There is nothing to show.
    #[error("no run was given, so there is nothing to report")]
    #[diagnostic(help("name at least one run folder; `unigauge list runs` shows them"))]
    NoRuns,
    /// A file of the report could not be written.
    #[error("cannot write {}: {source}", path.display())]
    #[diagnostic(help("check that the folder can be written to and that the disk has room"))]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A table could not be put into a format.
    #[error("the table cannot be exported as {format}: {message}")]
    Export {
        format: &'static str,
        message: String,
    },
    /// A chart could not be drawn.
    #[error("the chart {chart} cannot be drawn: {message}")]
    Chart { chart: String, message: String },
    /// The page's template failed.
    #[error("the report page cannot be rendered: {0}")]
    Page(String),
}
