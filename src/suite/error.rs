//! What can be wrong with the items of a suite.

use crate::config::{ConfigError, Flaw};
use crate::formats::{Place, RecordFault, Unreadable};
use crate::text::count::counted;
use std::fmt;
use std::path::PathBuf;

/// One thing wrong with one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    message: String,
    flaw: Option<Flaw>,
}

/// What is wrong with one record, without its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub message: String,
    /// Set when the suite may leave such records out.
    pub flaw: Option<Flaw>,
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self {
            message,
            flaw: None,
        }
    }
}

impl Flaw {
    /// What is wrong with a record that has this flaw.
    pub(super) fn wrong(self, message: String) -> Wrong {
        Wrong {
            message,
            flaw: Some(self),
        }
    }
}

impl Problem {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self::of_record(place, Wrong::from(message.into()))
    }

    pub(super) fn of_record(place: Place, Wrong { message, flaw }: Wrong) -> Self {
        Self {
            place,
            message,
            flaw,
        }
    }

    /// The fault by which the suite may leave the record out.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }
}

impl From<RecordFault> for Problem {
    fn from(fault: RecordFault) -> Self {
        Self::new(fault.place, fault.message)
    }
}

/// Why a suite has no items. All but [`SuiteError::Asset`] and [`SuiteError::NoPictureFolder`] are the
/// definition's or the data's fault.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SuiteError {
    /// The definition of the suite has a mistake.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),

    /// The source is absent or cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unreadable(#[from] Unreadable),

    /// Records are broken.
    #[error("{}", listing(source_name, first, *total))]
    Broken {
        /// What messages call the source.
        source_name: String,
        /// The first problems, at most twenty.
        first: Vec<Problem>,
        /// How many problems there are.
        total: usize,
        /// What to do about them.
        #[help]
        help: String,
    },

    /// The source has no records.
    #[error("{source_name}: there are no items in it")]
    #[diagnostic(help("expected {expected}"))]
    Empty {
        /// What messages call the source.
        source_name: String,
        /// What was expected in it.
        expected: String,
    },

    /// There is no folder that pictures inside the source can be written into.
    #[error("{}: there is no folder for the pictures inside it: {cause}", path.display())]
    #[diagnostic(help("set UNIGAUGE_CACHE to a folder with enough space"))]
    NoPictureFolder {
        /// The source.
        path: PathBuf,
        /// Why there is no folder.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The items are an asset that is not available.
    #[error("the items of this suite are the asset `{asset}`: {cause}")]
    #[diagnostic(help("run `unigauge fetch {asset}`, or use a file of your own"))]
    Asset {
        /// The id of the asset.
        asset: String,
        /// Why it is not available.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SuiteError {
    /// Most problems that one message lists.
    const SHOWN: usize = 20;

    /// An error about all that is wrong with the records of one source.
    pub(super) fn broken(source: &str, mut problems: Vec<Problem>) -> Self {
        let total = problems.len();
        let help = help(&problems);
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        problems.truncate(Self::SHOWN);
        Self::Broken {
            source_name: source.to_owned(),
            first: problems,
            total,
            help,
        }
    }
}

fn help(problems: &[Problem]) -> String {
    let repair =
        "no record is skipped silently: repair or remove these records, and run the command again";
    let has = |flaw: &Flaw| problems.iter().any(|problem| problem.flaw == Some(*flaw));
    let names: Vec<String> = (Flaw::ALL.iter().filter(|flaw| has(flaw)))
        .map(|flaw| format!("\"{}\"", flaw.name()))
        .collect();
    if names.is_empty() {
        repair.to_owned()
    } else {
        format!(
            "{repair}; or set `leave_out = [{}]` under [items], which leaves out such records and reports their number",
            names.join(", ")
        )
    }
}

fn listing(source: &str, first: &[Problem], total: usize) -> String {
    let mut text = format!("{source}: {} with the items", counted(total, "problem"));
    for Problem { place, message, .. } in first {
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
