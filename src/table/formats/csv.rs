//! CSV as RFC 4180 has it: a header, CRLF, quotes doubled. A missing value is an empty field, an empty text is `""`.

use crate::table::records::{Cells, Records};
use crate::table::{Document, Format, FormatError, Window};

/// The records, unrounded.
pub static CSV: Format = Format {
    name: "csv",
    title: "CSV",
    extension: "csv",
    about: "Long format, unrounded, on the scale of the grades",
    binary: false,
    write,
};

fn write(document: &Document<'_>, _: Window) -> Result<Vec<u8>, FormatError> {
    Ok(table(&document.records).into_bytes())
}

/// The records below a header; nothing where there is no column.
pub fn table(records: &Records<'_>) -> String {
    let mut text = String::new();
    if records.columns.is_empty() {
        return text;
    }
    let names = records.columns.iter().map(|column| quoted(&column.name));
    line(&mut text, names);
    for row in 0..records.height {
        let columns = records.columns.iter();
        line(&mut text, columns.map(|column| field(&column.cells, row)));
    }
    text
}

fn line(text: &mut String, fields: impl Iterator<Item = String>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&field);
    }
    text.push_str("\r\n");
}

fn field(cells: &Cells<'_>, row: usize) -> String {
    let field = match cells {
        Cells::Text(values) => value(values, row).map(|text| quoted(text)),
        Cells::Number(values) => value(values, row).map(|number| decimal(*number)),
        Cells::Count(values) => value(values, row).map(u64::to_string),
        Cells::Small(values) => value(values, row).map(u32::to_string),
        Cells::Truth(values) => value(values, row).map(bool::to_string),
    };
    field.unwrap_or_default()
}

fn value<T>(values: &[Option<T>], row: usize) -> Option<&T> {
    values.get(row)?.as_ref()
}

/// The shortest digits that give the number back, with a point or an exponent, as JSON has it: `1.0`, `1e-7`.
fn decimal(number: f64) -> String {
    match serde_json::Number::from_f64(number) {
        Some(finite) => finite.to_string(),
        None => number.to_string(),
    }
}

/// The crate `csv` does not quote an empty text, which would then read as a missing value.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
