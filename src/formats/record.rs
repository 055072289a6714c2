//! The records of a source, and their places in it.

use crate::record::Object;
use std::fmt;

/// Where a record is in its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Line and, where known, column; both 1-based.
    Line(usize, Option<usize>),
    /// The number among the records, from 1.
    Record(usize),
    /// The key of a JSON object whose keys are ids.
    Key(String),
    /// A file of a folder.
    File(String),
    /// A row of a table, which may be one of several files.
    Row {
        /// The name of the file, where there are several.
        file: Option<String>,
        /// The number of the row, from 1.
        row: usize,
        /// The column that is meant.
        column: Option<String>,
    },
}

impl Place {
    /// The same row, at a column.
    pub fn column(self, name: &str) -> Self {
        match self {
            Self::Row { file, row, .. } => Self::Row {
                file,
                row,
                column: Some(name.to_owned()),
            },
            other => other,
        }
    }
}

/// The place without its source. Messages about a place name the source before it.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line, _) => write!(formatter, "line {line}"),
            Self::Record(number) => write!(formatter, "record {number}"),
            Self::Key(key) => write!(formatter, "key `{key}`"),
            Self::File(name) => write!(formatter, "file {name}"),
            Self::Row { file, row, column } => {
                if let Some(file) = file {
                    write!(formatter, "{file}, ")?;
                }
                write!(formatter, "row {row}")?;
                match column {
                    Some(column) => write!(formatter, ", column `{column}`"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What is wrong with one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFault {
    /// The place of the record.
    pub place: Place,
    /// What is wrong, for a person.
    pub message: String,
}

impl RecordFault {
    /// A fault of the record at a place.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
        }
    }
}

/// One record of a source, not yet an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The place of the record.
    pub place: Place,
    /// Its key, where the source is an object keyed by id.
    pub key: Option<String>,
    /// What it says.
    pub fields: Object,
}

/// One record as a reader hands it over.
#[derive(Debug)]
pub enum Raw<'a> {
    /// A line that is parsed later: a long file is parsed on all cores.
    Line {
        /// The line's number, from 1.
        number: usize,
        /// Its text.
        text: &'a str,
        /// Parses it.
        parse: LineParser,
    },
    /// A whole record.
    Parsed(Box<Record>),
    /// What is wrong with a record.
    Broken(RecordFault),
}

/// Makes a record of the line with a number.
///
/// # Errors
/// Fails with what is wrong with the line.
pub(super) type LineParser = fn(usize, &str) -> Result<Record, RecordFault>;

impl Raw<'_> {
    /// A record, with its key where the source has one.
    pub(super) fn parsed(place: Place, key: Option<String>, fields: Object) -> Self {
        Self::Parsed(Box::new(Record { place, key, fields }))
    }

    /// A record that cannot be used.
    pub(super) fn broken(place: Place, message: impl Into<String>) -> Self {
        Self::Broken(RecordFault::new(place, message))
    }

    /// The record.
    ///
    /// # Errors
    /// Fails with what is wrong with the record.
    pub fn record(self) -> Result<Record, RecordFault> {
        match self {
            Self::Line {
                number,
                text,
                parse,
            } => parse(number, text),
            Self::Parsed(record) => Ok(*record),
            Self::Broken(fault) => Err(fault),
        }
    }
}
