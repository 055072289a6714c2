//! Why a report could not be written.

use crate::files::FileError;
use crate::table::FormatError;
use std::path::PathBuf;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ReportError {
    /// There is nothing to show.
    #[error("no run was given, so there is nothing to report")]
    #[diagnostic(help("give at least one run folder; `unigauge list runs` shows them"))]
    NoRuns,
    /// A file of the report could not be written.
    #[error("cannot write {}: {source}", path.display())]
    #[diagnostic(help("check that the folder can be written to and that the disk has room"))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another report is being written into the folder.
    #[error("{}: another report is being written into this folder by {holder}", folder.display())]
    #[diagnostic(help("wait until it is done, or give another folder with `--out DIR`"))]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// The process, its machine and since when, in words.
        holder: String,
    },
    /// A table could not be put into a format.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Format(#[from] FormatError),
    /// A chart could not be drawn.
    #[error("the chart {chart} cannot be drawn: {message}")]
    Chart {
        /// The chart's file name without extension.
        chart: String,
        /// The reason.
        message: String,
    },
    /// The page's template failed.
    #[error("the report page cannot be rendered: {0}")]
    Page(String),
}

impl From<FileError> for ReportError {
    fn from(error: FileError) -> Self {
        Self::Write {
            path: error.path,
            source: error.source,
        }
    }
}
