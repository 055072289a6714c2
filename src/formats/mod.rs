//! Readers of records: one file per format, each turning a source into JSON objects with their places.

mod csv;
mod dpg;
mod genai;
mod imgedit;
mod json;
mod jsonl;
mod parquet;
mod stream;
pub(super) mod table;
mod text_folder;
mod tsv;

use crate::config::Format;
use crate::record::Object;
use crate::suite::error::{Problem, SuiteError};
use crate::text::json_fault;
use std::fmt;
use std::path::Path;

/// Where a record stands in its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Line and, where known, column; both 1-based.
    Line(usize, Option<usize>),
    /// 1-based among the records.
    Record(usize),
    /// The key of a JSON object whose keys are ids.
    Key(String),
    /// A file of a folder.
    File(String),
    /// 1-based among the rows of a table, which may be one of several files.
    Row {
        file: Option<String>,
        row: usize,
        column: Option<String>,
    },
}

impl Place {
    /// The same row, at a column.
    pub(super) fn column(self, name: &str) -> Self {
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

/// For "also on …"; messages about a place name the source before it.
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

/// One record of a source, not yet an item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub place: Place,
    /// Its key, where the source is an object keyed by id.
    pub key: Option<String>,
    pub fields: Object,
}

/// One record as a reader hands it over. The lines of a long file are parsed later, on all cores.
#[derive(Debug)]
pub(super) enum Raw<'a> {
    Line { number: usize, text: &'a str },
    Parsed(Box<Record>),
    Broken(Problem),
}

impl Raw<'_> {
    fn parsed(place: Place, key: Option<String>, fields: Object) -> Self {
        Self::Parsed(Box::new(Record { place, key, fields }))
    }

    fn broken(place: Place, message: impl Into<String>) -> Self {
        Self::Broken(Problem::new(place, message))
    }

    /// The record, or what is wrong with it.
    pub(super) fn record(self) -> Result<Record, Problem> {
        match self {
            Self::Line { number, text } => jsonl::record(number, text),
            Self::Parsed(record) => Ok(*record),
            Self::Broken(problem) => Err(problem),
        }
    }
}

/// The records of a text.
///
/// # Errors
/// When a CSV text is not a table. Broken records do not fail: they stand among the others.
pub(super) fn text(format: Format, text: &str) -> Result<Vec<Raw<'_>>, String> {
    match format {
        Format::Jsonl => Ok(jsonl::read(text)),
        Format::Json => Ok(json::read(text)),
        Format::Csv => csv::read(text),
        Format::DpgCsv => dpg::read(text, true),
        Format::DpgCsvWhole => dpg::read(text, false),
        Format::Imgedit => Ok(imgedit::read(text, "")),
        Format::GenaiBench => genai::read(text),
        Format::TextFolder => Err("this is a file; a folder of .txt files was expected".to_owned()),
        Format::Tsv | Format::Parquet => Err("this is read row by row".to_owned()),
    }
}

/// The records of ImgEdit's files; `name` is the file's without its extension.
pub(super) fn imgedit(text: &str, name: &str) -> Vec<Raw<'static>> {
    imgedit::read(text, name)
}

/// Hands over the rows of a table with pictures, batch by batch; `name` is the file's among several.
///
/// # Errors
/// When the file cannot be read or is no such table, and what `sink` says. Broken rows stand among the others.
pub(super) fn rows(
    format: Format,
    path: &Path,
    name: Option<&str>,
    columns: &table::Columns,
    sink: &mut table::Sink<'_>,
) -> Result<(), SuiteError> {
    match format {
        Format::Parquet => parquet::read(path, name, columns, sink),
        Format::Tsv => tsv::read(path, name, columns, sink),
        Format::Jsonl => stream::lines(path, columns, sink),
        Format::Json => stream::whole(path, columns, sink),
        other => Err(SuiteError::Unreadable {
            path: path.to_owned(),
            problem: format!("pictures cannot stand inside a source of this kind ({other:?})"),
            help: Some("use Parquet, TSV, JSON or JSON lines".to_owned()),
        }),
    }
}

/// The records of a folder of `.txt` prompts.
///
/// # Errors
/// When the folder cannot be listed.
pub(super) fn folder(path: &Path) -> Result<Vec<Raw<'static>>, SuiteError> {
    text_folder::read(path)
}

/// What an empty source should have held.
pub(super) const fn expected(format: Format) -> &'static str {
    match format {
        Format::Jsonl => "one JSON object a line",
        Format::Json => "a JSON array of objects, or an object keyed by id",
        Format::Csv | Format::Tsv => "a header line and at least one row",
        Format::Parquet => "a Parquet table with at least one row",
        Format::DpgCsv | Format::DpgCsvWhole => "DPG-Bench's table of propositions",
        Format::Imgedit => "an object of ImgEdit's items by key",
        Format::GenaiBench => "GenAI-Bench's prompts and their skills",
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

fn not_an_object(value: &serde_json::Value) -> String {
    format!("an object was expected, found {}", kind(value))
}

/// serde_json's message about a line without its own "at line 1 column 2".
fn reason_in(text: &str, error: &serde_json::Error) -> String {
    match json_fault::word(text.as_bytes(), error) {
        Some((word, what)) => format!("this is not JSON: `{word}` is {what}"),
        None => reason(error),
    }
}

/// serde_json's message without its own "at line 1 column 2".
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let reason = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(reason, _)| reason);
    match reason.strip_prefix("EOF while parsing ") {
        Some(inside) => format!("this is not JSON: it ends inside {inside}"),
        None => format!("this is not JSON: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    fn objects() -> impl Strategy<Value = Vec<Object>> {
        let object = prop::collection::vec((any::<String>(), json_value()), 0..4);
        prop::collection::vec(object.prop_map(Object::from_iter), 0..8)
    }

    /// Text that looks like the formats more often than random text does.
    fn nearly() -> impl Strategy<Value = String> {
        "([{}\\[\\],:\"a-c0-9.\\\\ \r\n\u{2028}\u{85}\u{feff}é字]|null|true|\"id\":){0,60}"
    }

    fn fields(raws: Vec<Raw<'_>>) -> Vec<Object> {
        let records = raws.into_iter().map(|raw| raw.record().unwrap());
        records.map(|record| record.fields).collect()
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(content in prop_oneof![nearly(), any::<String>()]) {
            for format in [Format::Jsonl, Format::Json, Format::Csv, Format::DpgCsv, Format::Imgedit, Format::GenaiBench, Format::TextFolder] {
                for raw in text(format, &content).into_iter().flatten() {
                    let _ = raw.record();
                }
            }
        }

        #[test]
        fn json_lines_read_back_what_was_written(
            written in objects(),
            ends in prop::collection::vec(prop_oneof!["\n", "\r\n", "\n\n", "\n  \r\n"], 8),
        ) {
            let lines = written.iter().zip(&ends);
            let content: String = lines
                .map(|(object, end)| serde_json::to_string(object).unwrap() + end)
                .collect();
            prop_assert_eq!(fields(text(Format::Jsonl, &content).unwrap()), written);
        }

        #[test]
        fn a_json_array_reads_back_what_was_written(written in objects()) {
            let content = serde_json::to_string_pretty(&written).unwrap();
            prop_assert_eq!(fields(text(Format::Json, &content).unwrap()), written);
        }

        #[test]
        fn a_table_reads_back_what_was_written(
            rows in prop::collection::vec(("[a-zé字 ,;\"\n\t]{0,12}", "[ -~]{0,12}"), 1..8),
        ) {
            let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
            let mut content = "left,right\n".to_owned();
            for (left, right) in &rows {
                content += &format!("{},{}\n", quoted(left), quoted(right));
            }
            let read = fields(text(Format::Csv, &content).unwrap());
            let written: Vec<Object> = rows
                .into_iter()
                .map(|(left, right)| {
                    [("left".to_owned(), left.into()), ("right".to_owned(), right.into())]
                        .into_iter()
                        .collect()
                })
                .collect();
            prop_assert_eq!(read, written);
        }
    }
}
