//! What the readers of large tables have in common: rows with pictures, handed over in batches.

use super::{Place, Record, kind};
use crate::config::{ImageEncoding, nearest};
use crate::suite::error::{Problem, SuiteError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows that are handed over together.
pub(super) const BATCH_ROWS: usize = 256;
/// Bytes of rows that are handed over together, about.
pub(super) const BATCH_BYTES: usize = 32 << 20;
/// The largest row of a text.
pub(super) const MAX_ROW_BYTES: usize = 1 << 29;

/// Which columns of a table are read.
#[derive(Debug, Clone)]
pub(in crate::suite) struct Columns {
    /// Columns that become fields, and whether each must be there; None when all are.
    pub fields: Option<BTreeMap<String, bool>>,
    /// Columns of pictures.
    pub images: Vec<String>,
    /// Whether these must all be there.
    pub all_images: bool,
    pub encoding: ImageEncoding,
}

/// One row.
#[derive(Debug)]
pub(in crate::suite) struct Row {
    pub record: Record,
    /// The pictures of each column that holds some.
    pub pictures: Vec<(String, Vec<Picture>)>,
}

/// A picture as a table holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::suite) enum Picture {
    Bytes(Vec<u8>),
    /// Base64, or the index of the row that has the picture.
    Text(String),
    /// No bytes, though there should be some: what a message says of it.
    Absent(String),
}

/// A row, or what is wrong with it.
pub(in crate::suite) type Read = Result<Row, Problem>;
/// Takes batches of rows in their order.
pub(in crate::suite) type Sink<'a> = dyn FnMut(Vec<Read>) -> Result<(), SuiteError> + 'a;

impl Row {
    /// Bytes of its pictures as the table holds them.
    pub(super) fn weight(&self) -> usize {
        let pictures = self.pictures.iter().flat_map(|(_, list)| list);
        let bytes = pictures.map(|picture| match picture {
            Picture::Bytes(bytes) => bytes.len(),
            Picture::Text(text) | Picture::Absent(text) => text.len(),
        });
        bytes.sum()
    }
}

impl Columns {
    pub(super) fn wants(&self, name: &str) -> bool {
        let known = self.fields.as_ref();
        known.is_none_or(|fields| fields.contains_key(name)) || self.is_image(name)
    }

    pub(super) fn is_image(&self, name: &str) -> bool {
        self.images.iter().any(|image| image == name)
    }

    /// Refuses a table that lacks a column.
    pub(super) fn check(&self, path: &Path, there: &[&str]) -> Result<(), SuiteError> {
        let needed = self.fields.iter().flatten();
        let needed = needed.filter(|(_, needed)| **needed).map(|(name, _)| name);
        let images = self.images.iter().filter(|_| self.all_images);
        let Some(lacking) = needed
            .chain(images)
            .find(|name| !there.contains(&name.as_str()))
        else {
            return Ok(());
        };
        let near = match nearest(lacking, there.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        Err(SuiteError::Unreadable {
            path: path.to_owned(),
            problem: format!("there is no column `{lacking}`"),
            help: Some(format!(
                "{near}the columns are {}; name those that are meant under [items.map]",
                there.join(", ")
            )),
        })
    }
}

/// The pictures of a JSON value: a text in base64, or a list of such.
pub(super) fn pictures_of(value: &Value) -> Vec<Picture> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::String(text) => vec![Picture::Text(text.clone())],
        Value::Array(list) => list.iter().flat_map(pictures_of).collect(),
        other => vec![Picture::Absent(format!(
            "is {}, where a picture in base64 or a list of them was expected",
            kind(other)
        ))],
    }
}

/// The place of a row, 1-based, in one of several files.
pub(super) fn place(file: Option<&str>, row: usize) -> Place {
    Place::Row {
        file: file.map(str::to_owned),
        row,
        column: None,
    }
}

/// Collects rows into batches.
pub(super) struct Batches<'a, 'b> {
    sink: &'a mut Sink<'b>,
    rows: Vec<Read>,
    bytes: usize,
}

impl<'a, 'b> Batches<'a, 'b> {
    pub(super) fn new(sink: &'a mut Sink<'b>) -> Self {
        Self {
            sink,
            rows: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds a row of about so many bytes.
    pub(super) fn push(&mut self, row: Read, bytes: usize) -> Result<(), SuiteError> {
        self.rows.push(row);
        self.bytes += bytes;
        match self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            true => self.finish(),
            false => Ok(()),
        }
    }

    /// Hands over what there is.
    pub(super) fn finish(&mut self) -> Result<(), SuiteError> {
        self.bytes = 0;
        (self.sink)(std::mem::take(&mut self.rows))
    }
}
