//! Tables with tabs of any size, a batch of rows at a time. Every value is a string.

use super::description::{FormatDescription, Reading};
use super::error::Unreadable;
use super::lists;
use super::record::{Record, RecordFault};
use super::separated::{RawRows, Values, wrong_count};
use super::table::{
    BATCH_BYTES, Columns, ImageEncoding, Picture, Row, Sink, pictures_of, row_place,
};
use crate::record::Object;
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A table with tabs.
pub(super) static TSV: FormatDescription = FormatDescription {
    name: "tsv",
    about: "The same with tabs between the columns, of any size, as VLMEvalKit publishes benchmarks.",
    expected: "a header line and at least one row",
    extensions: &["tsv"],
    own_json: None,
    reading: Reading::Rows(read),
};

/// Hands over the rows of one file; `name` is the file's among several.
fn read(
    path: &Path,
    name: Option<&str>,
    columns: &Columns,
    sink: &mut Sink<'_>,
) -> Result<(), Unreadable> {
    let unreadable = |problem: String| Unreadable::new(path, problem);
    let file = File::open(path).map_err(|error| unreadable(format!("cannot be read ({error})")))?;
    let mut source = RawRows::new(BufReader::with_capacity(1 << 20, file), b'\t');
    let mut values = Values::new(b'\t');
    let mut row = Vec::new();
    if !source.next(&mut row).map_err(unreadable)? {
        return Ok(());
    }
    let header = Header::read(&row, &mut values, columns, path)?;
    let mut batch = Vec::new();
    let mut bytes = 0;
    let mut number = 0;
    loop {
        let help =
            "an unclosed quotation mark joins many rows into one; check that the file is complete";
        let more = source.next(&mut row).map_err(|problem| {
            unreadable(format!("row {}: {problem}", number + 1)).with_help(help)
        })?;
        if more {
            number += 1;
            bytes += row.len();
            let place = row_place(name, number);
            batch.push(match header.values(&row, &mut values) {
                Ok((fields, pictures)) => {
                    let key = None;
                    let record = Record { place, key, fields };
                    Ok(Row { record, pictures })
                }
                Err(problem) => Err(RecordFault::new(place, problem)),
            });
        }
        if !more || bytes >= BATCH_BYTES {
            bytes = 0;
            sink(std::mem::take(&mut batch));
        }
        if !more {
            return Ok(());
        }
    }
}

/// The fields of a row, and its pictures by column.
type RowValues = (Object, Vec<(String, Vec<Picture>)>);

/// What the header says of each value of a row.
struct Header(Vec<HeaderColumn>);

struct HeaderColumn {
    name: String,
    wanted: bool,
    pictures: bool,
}

impl Header {
    fn read(
        row: &[u8],
        values: &mut Values,
        columns: &Columns,
        path: &Path,
    ) -> Result<Self, Unreadable> {
        let names = values.names(row).map_err(|_| {
            Unreadable::new(path, "the header is not UTF-8 text")
                .with_help("expected a header line and rows, with tabs between the columns")
        })?;
        let there: Vec<&str> = names.iter().map(String::as_str).collect();
        columns.check(path, &there)?;
        let base64 = columns.encoding == ImageEncoding::Base64;
        let header = names.into_iter().map(|name| HeaderColumn {
            wanted: columns.wants(&name),
            pictures: columns.is_image(&name) && base64,
            name,
        });
        Ok(Self(header.collect()))
    }

    /// The wanted values of a row, and its pictures by column.
    ///
    /// # Errors
    /// What is wrong with the row.
    fn values(&self, row: &[u8], values: &mut Values) -> Result<RowValues, String> {
        let values = values.split(row)?;
        if values.len() != self.0.len() {
            let problem = wrong_count(values.len(), self.0.len());
            return Err(format!("{problem}; the row may be cut off"));
        }
        let mut fields = Object::new();
        let mut pictures = Vec::new();
        for (column, text) in self.0.iter().zip(values) {
            if column.pictures {
                pictures.push((column.name.clone(), texts(text)));
            } else if column.wanted {
                fields.insert(column.name.clone(), text.into());
            }
        }
        Ok((fields, pictures))
    }
}

/// The pictures of a value: one, or a list written as a text.
fn texts(value: &str) -> Vec<Picture> {
    match value.trim() {
        "" => Vec::new(),
        list if list.starts_with('[') => match lists::parse(list) {
            Some(list) => pictures_of(&Value::Array(list)),
            None => vec![Picture::Absent(
                "begins like a list, but is not one".to_owned(),
            )],
        },
        one => vec![Picture::Text(one.to_owned())],
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::RowResult;
    use super::*;
    use proptest::prelude::*;

    fn columns() -> Columns {
        Columns {
            fields: None,
            images: Vec::new(),
            all_images: false,
            encoding: ImageEncoding::Base64,
        }
    }

    fn read_back(text: &[u8]) -> Result<Vec<RowResult>, Unreadable> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.tsv");
        std::fs::write(&path, text).unwrap();
        let mut all = Vec::new();
        read(&path, None, &columns(), &mut |rows| {
            all.extend(rows);
        })?;
        Ok(all)
    }

    /// As pandas writes a value: quoted where it must be.
    fn cell(value: &str) -> String {
        if value.contains(['\t', '"', '\n', '\r']) {
            format!("\"{}\"", value.replace('"', "\"\""))
        } else {
            value.to_owned()
        }
    }

    proptest! {
        #[test]
        fn a_table_reads_back_what_was_written(
            rows in prop::collection::vec(("[a-zé字 ,'\"\n\t]{1,12}", "[ -~]{0,12}"), 1..8),
        ) {
            // A first value of blanks alone would make a blank row.
            let rows: Vec<(String, String)> =
                rows.into_iter().map(|(left, right)| (format!("x{left}"), right)).collect();
            let mut text = "left\tright\n".to_owned();
            for (left, right) in &rows {
                text += &format!("{}\t{}\n", cell(left), cell(right));
            }
            let back: Vec<(String, String)> = read_back(text.as_bytes())
                .unwrap()
                .into_iter()
                .map(|row| {
                    let fields = row.unwrap().record.fields;
                    let text = |name: &str| fields[name].as_str().unwrap().to_owned();
                    (text("left"), text("right"))
                })
                .collect();
            prop_assert_eq!(back, rows);
        }

        #[test]
        fn any_bytes_are_read_or_refused(text in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(b"\t\n\r\"ab".to_vec())], 0..80,
        )) {
            for row in read_back(&text).into_iter().flatten() {
                let _ = row;
            }
        }
    }
}
