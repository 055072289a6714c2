//! Tables with tabs of any size, read by polars a batch of rows at a time. Every value is a string.

use super::csv;
use super::description::{FormatDescription, Reading};
use super::error::Unreadable;
use super::lists;
use super::record::{Place, Record, RecordFault};
use super::table::{
    BATCH_BYTES, Columns, ImageEncoding, MAX_ROW_BYTES, Picture, Row, RowResult, Sink, pictures_of,
    row_place,
};
use crate::record::Object;
use memchr::memchr;
use polars::prelude::{DataFrame, StringChunked};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
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
    let mut rows = Rows(BufReader::with_capacity(1 << 20, file));
    let mut header = Vec::new();
    let found = rows.next(&mut header).map_err(unreadable)?;
    if !found {
        return Ok(());
    }
    let cells = cells(&header);
    let mut batch = Batch::new(header);
    batch.check(columns, path)?;
    let mut number = 0;
    loop {
        let start = batch.text.len();
        let help =
            "an unclosed quotation mark joins many rows into one; check that the file is complete";
        let more = rows.next(&mut batch.text).map_err(|problem| {
            unreadable(format!("row {}: {problem}", number + 1)).with_help(help)
        })?;
        if more {
            number += 1;
            batch.take(start, number, name, cells);
        }
        if !more || batch.text.len() >= BATCH_BYTES {
            sink(batch.rows(name, columns).map_err(unreadable)?);
        }
        if !more {
            return Ok(());
        }
    }
}

/// Rows as bytes, with their line ends.
struct Rows(BufReader<File>);

impl Rows {
    /// Appends the next row that is not blank; false at the end.
    fn next(&mut self, text: &mut Vec<u8>) -> Result<bool, String> {
        let start = text.len();
        let mut open = false;
        loop {
            let line = text.len();
            let room = (MAX_ROW_BYTES + 1).saturating_sub(line - start) as u64;
            let read = self.0.by_ref().take(room).read_until(b'\n', text);
            read.map_err(|error| format!("cannot be read ({error})"))?;
            if text.len() - start > MAX_ROW_BYTES {
                return Err(format!("it is longer than {} MB", MAX_ROW_BYTES >> 20));
            }
            if text.len() == line {
                return if open {
                    Err("the file ends inside a quoted value".to_owned())
                } else {
                    Ok(false)
                };
            }
            open = is_open(&text[line..], open);
            if open {
                continue;
            }
            if text[start..].iter().all(u8::is_ascii_whitespace) {
                text.truncate(start);
                continue;
            }
            if !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            return Ok(true);
        }
    }
}

/// Whether a quoted value continues after the line, where one was `open` before it.
fn is_open(line: &[u8], open: bool) -> bool {
    walk(line, open).0
}

/// Values of a whole row.
fn cells(row: &[u8]) -> usize {
    walk(row, false).1 + 1
}

/// Whether a quoted value is open at the end, and the tabs outside of quoted values.
fn walk(text: &[u8], mut open: bool) -> (bool, usize) {
    let mut at = 0;
    let mut tabs = 0;
    let mut at_start = true;
    while at < text.len() {
        if open {
            let Some(quote) = memchr(b'"', &text[at..]) else {
                return (true, tabs);
            };
            at += quote + 1;
            match text.get(at) {
                Some(b'"') => at += 1,
                _ => (open, at_start) = (false, false),
            }
        } else if at_start && text[at] == b'"' {
            open = true;
            at += 1;
        } else {
            let Some(tab) = memchr(b'\t', &text[at..]) else {
                return (false, tabs);
            };
            at += tab + 1;
            tabs += 1;
            at_start = true;
        }
    }
    (open, tabs)
}

/// Whole rows after the header.
struct Batch {
    header: usize,
    text: Vec<u8>,
    /// The row's number, or what is wrong with it, in order.
    taken: Vec<Result<usize, RecordFault>>,
}

impl Batch {
    fn new(header: Vec<u8>) -> Self {
        let header = match header.strip_prefix("\u{feff}".as_bytes()) {
            Some(rest) => rest.to_vec(),
            None => header,
        };
        Self {
            header: header.len(),
            text: header,
            taken: Vec::new(),
        }
    }

    fn check(&self, columns: &Columns, path: &Path) -> Result<(), Unreadable> {
        let unreadable = |problem: String| {
            Unreadable::new(path, problem)
                .with_help("expected a header line and rows, with tabs between the columns")
        };
        let text = std::str::from_utf8(&self.text)
            .map_err(|_| unreadable("the header is not UTF-8 text".to_owned()))?;
        let table = csv::table(text, b'\t').map_err(|error| unreadable(csv::first_line(&error)))?;
        let names: Vec<&str> = table
            .get_column_names()
            .into_iter()
            .map(|name| name.as_str())
            .collect();
        columns.check(path, &names)
    }

    /// Looks at the row that begins at `start`; a broken one is taken out again.
    fn take(&mut self, start: usize, number: usize, name: Option<&str>, expected: usize) {
        let row = &self.text[start..];
        let problem = match (std::str::from_utf8(row), cells(row)) {
            (Err(_), _) => Some("this is not UTF-8 text".to_owned()),
            (Ok(_), found) if found != expected => Some(format!(
                "it has {found} values, but the header has {expected}; the row may be cut off"
            )),
            _ => None,
        };
        match problem {
            None => self.taken.push(Ok(number)),
            Some(message) => {
                self.text.truncate(start);
                let problem = RecordFault::new(row_place(name, number), message);
                self.taken.push(Err(problem));
            }
        }
    }

    /// The rows so far; only the header is left.
    fn rows(&mut self, name: Option<&str>, columns: &Columns) -> Result<Vec<RowResult>, String> {
        let taken = std::mem::take(&mut self.taken);
        let whole = taken.iter().filter(|row| row.is_ok()).count();
        let text = std::str::from_utf8(&self.text).map_err(|error| error.to_string())?;
        let table = csv::table(text, b'\t').map_err(|error| csv::first_line(&error))?;
        self.text.truncate(self.header);
        if table.height() != whole {
            return Err(format!(
                "{whole} rows were read as {}: its quotation marks do not fit",
                table.height()
            ));
        }
        let cells = wanted(&table, columns)?;
        let mut at = 0..;
        let rows = taken.into_iter().map(|row| {
            let number = row?;
            let at = at.next().unwrap_or_default();
            Ok(row_of(&cells, at, row_place(name, number)))
        });
        Ok(rows.collect())
    }
}

struct Cells<'a> {
    name: String,
    values: &'a StringChunked,
    pictures: bool,
}

fn wanted<'a>(table: &'a DataFrame, columns: &Columns) -> Result<Vec<Cells<'a>>, String> {
    let wanted = table
        .columns()
        .iter()
        .filter(|column| columns.wants(column.name()));
    let cells = wanted.map(|column| {
        let values = column.str().map_err(|error| error.to_string())?;
        Ok(Cells {
            name: column.name().to_string(),
            values,
            pictures: columns.is_image(column.name()) && columns.encoding == ImageEncoding::Base64,
        })
    });
    cells.collect()
}

fn row_of(cells: &[Cells<'_>], at: usize, place: Place) -> Row {
    let mut fields = Object::new();
    let mut pictures = Vec::new();
    for cell in cells {
        let text = cell.values.get(at).unwrap_or_default();
        if cell.pictures {
            pictures.push((cell.name.clone(), texts(text)));
        } else {
            fields.insert(cell.name.clone(), text.into());
        }
    }
    let record = Record {
        place,
        key: None,
        fields,
    };
    Row { record, pictures }
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
