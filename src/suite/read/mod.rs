//! Readers of records: one file per format, each turning a source into JSON objects with their places.

mod csv;
mod json;
mod jsonl;
mod text_folder;

use crate::config::Format;
use crate::record::Object;
use crate::suite::error::{Problem, Problems, SuiteError};
use std::fmt;
use std::path::Path;

/// Where a record stands in its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// 1-based.
    Line(usize),
    /// 1-based line and column.
    Column(usize, usize),
    /// 1-based among the records.
    Record(usize),
    /// The key of a JSON object whose keys are ids.
    Key(String),
    /// A file of a folder.
    File(String),
}

/// For "also on …"; messages about a place name the source before it.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) | Self::Column(line, _) => write!(formatter, "line {line}"),
            Self::Record(number) => write!(formatter, "record {number}"),
            Self::Key(key) => write!(formatter, "key `{key}`"),
            Self::File(name) => write!(formatter, "file {name}"),
        }
    }
}

/// One record of a source, not yet an item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub place: Place,
    /// Its key, where the source is an object keyed by id.
    pub key: Option<String>,
    pub fields: Object,
}

/// What a reader found: good records, and what is wrong with the others.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub good: Vec<Record>,
    pub problems: Problems,
}

impl Records {
    /// Neither a good record nor a broken one.
    pub(super) fn is_empty(&self) -> bool {
        self.good.is_empty() && self.problems.is_empty()
    }

    fn add(&mut self, place: Place, fields: Object) {
        self.good.push(Record {
            place,
            key: None,
            fields,
        });
    }

    fn refuse(&mut self, place: Place, message: impl Into<String>) {
        self.problems.push(Problem::new(place, message));
    }
}

/// The records of a text.
///
/// # Errors
/// When a CSV text is not a table. Broken records do not fail: they are listed in the result.
pub(super) fn text(format: Format, text: &str) -> Result<Records, String> {
    match format {
        Format::Jsonl => Ok(jsonl::read(text)),
        Format::Json => Ok(json::read(text)),
        Format::Csv => csv::read(text),
        Format::TextFolder => Err("this is a file; a folder of .txt files was expected".to_owned()),
    }
}

/// The records of a folder of `.txt` prompts.
///
/// # Errors
/// When the folder cannot be listed.
pub(super) fn folder(path: &Path) -> Result<Records, SuiteError> {
    text_folder::read(path)
}

/// What an empty source should have held.
pub(super) const fn expected(format: Format) -> &'static str {
    match format {
        Format::Jsonl => "one JSON object a line",
        Format::Json => "a JSON array of objects, or an object keyed by id",
        Format::Csv => "a header line and at least one row",
        Format::TextFolder => "files whose names end in .txt, one prompt each",
    }
}

const fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "true or false",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}

/// serde_json's message without its own "at line 1 column 2".
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once(" at line ") {
        Some((reason, _)) => format!("this is not JSON: {reason}"),
        None => format!("this is not JSON: {message}"),
    }
}
