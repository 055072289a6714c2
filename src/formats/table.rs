//! What the readers of large tables have in common: rows with pictures, handed over in batches.

use super::error::Unreadable;
use super::json_reason::kind;
use super::record::{Place, Record, RecordFault};
use crate::text::nearest::nearest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// How many rows are handed over together.
pub(super) const BATCH_ROWS: usize = 256;
/// About how many bytes of rows are handed over together.
pub(super) const BATCH_BYTES: usize = 32 << 20;
/// The largest row of a text, in bytes.
pub(super) const MAX_ROW_BYTES: usize = 1 << 29;

/// How a text names an input image.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ImageEncoding {
    /// A path.
    #[default]
    Path,
    /// The picture's file itself in base64, maybe behind `data:…,`. A text of at most 64 characters is the
    /// `index` of another record that has the picture.
    Base64,
}

/// Which columns of a table are read.
#[derive(Debug, Clone)]
pub struct Columns {
    /// Columns that become fields, and whether each must be there. `None` if all are.
    pub fields: Option<BTreeMap<String, bool>>,
    /// Columns of pictures.
    pub images: Vec<String>,
    /// Whether these must all be there.
    pub all_images: bool,
    /// How a text names a picture.
    pub encoding: ImageEncoding,
}

/// One row.
#[derive(Debug)]
pub struct Row {
    /// Its fields.
    pub record: Record,
    /// The pictures of each column that holds some.
    pub pictures: Vec<(String, Vec<Picture>)>,
}

/// A picture as a table holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// The bytes of the picture's file.
    Bytes(Vec<u8>),
    /// Base64, or the index of the row that has the picture.
    Text(String),
    /// There are no bytes, though there should be some: the rest of a sentence that begins with "the
    /// picture".
    Absent(String),
}

/// A row, or what is wrong with it.
pub type RowResult = Result<Row, RecordFault>;
/// Takes batches of rows in their order.
pub type Sink<'a> = dyn FnMut(Vec<RowResult>) + 'a;

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
    pub(super) fn check(&self, path: &Path, there: &[&str]) -> Result<(), Unreadable> {
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
        let problem = format!("there is no column `{lacking}`");
        Err(Unreadable::new(path, problem).with_help(format!(
            "{near}the columns are {}; name the needed ones under [items.map]",
            there.join(", ")
        )))
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
            "is {}, but a picture in base64 or a list of pictures is expected",
            kind(other)
        ))],
    }
}

/// Opens a file of any size.
///
/// # Errors
/// Fails if it cannot be read.
pub(super) fn open_large(path: &Path) -> Result<BufReader<File>, Unreadable> {
    let file = File::open(path)
        .map_err(|error| Unreadable::new(path, format!("cannot be read ({error})")))?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

/// A record as a row. The pictures are taken out of its fields.
pub(super) fn row_of(mut record: Record, columns: &Columns) -> Row {
    let mut pictures = Vec::new();
    for name in &columns.images {
        if let Some(value) = record.fields.shift_remove(name) {
            pictures.push((name.clone(), pictures_of(&value)));
        }
    }
    Row { record, pictures }
}

/// The place of a row, counted from 1, in one of several files.
pub(super) fn row_place(file: Option<&str>, row: usize) -> Place {
    Place::Row {
        file: file.map(str::to_owned),
        row,
        column: None,
    }
}

/// Collects rows into batches.
pub(super) struct Batches<'a, 'b> {
    sink: &'a mut Sink<'b>,
    rows: Vec<RowResult>,
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
    pub(super) fn push(&mut self, row: RowResult, bytes: usize) {
        self.rows.push(row);
        self.bytes += bytes;
        if self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.finish();
        }
    }

    /// Hands over the rows that are left.
    pub(super) fn finish(&mut self) {
        self.bytes = 0;
        (self.sink)(std::mem::take(&mut self.rows));
    }
}
