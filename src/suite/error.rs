//! What can be wrong with the items of a suite.

use crate::config::ConfigError;
use crate::suite::read::Place;
use std::fmt;
use std::path::PathBuf;

/// One thing wrong with one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    message: String,
}

impl Problem {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
        }
    }
}

/// Why a suite has no items. All but [`SuiteError::Asset`] and [`SuiteError::NoPictureFolder`] are the definition's or the
/// data's fault.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SuiteError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),

    #[error("{path}: {problem}", path = path.display())]
    Unreadable {
        path: PathBuf,
        problem: String,
        #[help]
        help: Option<String>,
    },

    #[error("{}", listing(source_name, first, *total))]
    #[diagnostic(help(
        "no record is skipped silently: repair or remove these, then run the command again"
    ))]
    Broken {
        source_name: String,
        /// At most twenty.
        first: Vec<Problem>,
        total: usize,
    },

    #[error("{source_name}: there are no items in it")]
    #[diagnostic(help("expected {expected}"))]
    Empty {
        source_name: String,
        expected: String,
    },

    #[error("{}: there is no folder for the pictures inside it: {cause}", path.display())]
    #[diagnostic(help("set UNIGAUGE_CACHE to a folder with room for them"))]
    NoPictureFolder {
        path: PathBuf,
        cause: Box<dyn std::error::Error + Send + Sync>,
    },

    #[error("the items of this suite are the asset `{asset}`: {cause}")]
    #[diagnostic(help("run `unigauge fetch {asset}`, or give a file of your own in its place"))]
    Asset {
        asset: String,
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SuiteError {
    /// A reader of a long file should not be buried.
    const SHOWN: usize = 20;

    /// An error about all that is wrong with the records of one source.
    pub(super) fn broken(source: &str, mut problems: Vec<Problem>) -> Self {
        let total = problems.len();
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        problems.truncate(Self::SHOWN);
        Self::Broken {
            source_name: source.to_owned(),
            first: problems,
            total,
        }
    }
}

fn listing(source: &str, first: &[Problem], total: usize) -> String {
    let noun = if total == 1 { "problem" } else { "problems" };
    let mut text = format!("{source}: {total} {noun} with the items");
    for Problem { place, message } in first {
        text.push_str(&format!("\n  {}: {message}", InSource { source, place }));
    }
    if total > first.len() {
        text.push_str(&format!("\n  … and {} more", total - first.len()));
    }
    text
}

/// A place with the name of its source before it.
struct InSource<'a> {
    source: &'a str,
    place: &'a Place,
}

impl fmt::Display for InSource<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source;
        match self.place {
            Place::Line(line, None) => write!(formatter, "{source}:{line}"),
            Place::Line(line, Some(column)) => write!(formatter, "{source}:{line}:{column}"),
            Place::Record(number) => write!(formatter, "{source}, record {number}"),
            Place::Key(key) => write!(formatter, "{source}, key `{key}`"),
            Place::File(name) => write!(formatter, "{source}/{name}"),
            Place::Row { file: Some(_), .. } => write!(formatter, "{source}/{}", self.place),
            Place::Row { .. } => write!(formatter, "{source}, {}", self.place),
        }
    }
}
