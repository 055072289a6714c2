//! CSV as RFC 4180 has it: a header, CRLF, quotes doubled. A missing value is an empty field, an empty text
//! is `""`.

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

/// The shortest digits that give the number back, with a point or an exponent, as JSON has it: `1.0`,
/// `1e+16`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_missing_value_is_not_an_empty_text() {
        let rows = [
            (Some(""), Some(true)),
            (None, None),
            (Some("a\"b,c"), Some(false)),
        ];
        let records = Records::rows(&rows)
            .text("words", |row| row.0)
            .truth("yes, or no", |row| row.1)
            .build();
        let expected = "words,\"yes, or no\"\r\n\"\",true\r\n,\r\n\"a\"\"b,c\",false\r\n";
        assert_eq!(table(&records), expected);
        assert_eq!(table(&Records::default()), "");
    }

    // The digits that polars writes too.
    #[test]
    fn numbers_keep_a_point_or_an_exponent() {
        let numbers = [
            1.0,
            -0.0,
            0.1,
            1e15,
            1e16,
            1e-5,
            1e-7,
            f64::NAN,
            f64::INFINITY,
        ];
        let expected = [
            "1.0",
            "-0.0",
            "0.1",
            "1000000000000000.0",
            "1e+16",
            "0.00001",
            "1e-7",
        ];
        let expected = expected.into_iter().chain(["NaN", "inf"]);
        for (number, expected) in numbers.into_iter().zip(expected) {
            assert_eq!(decimal(number), expected);
        }
    }

    proptest! {
        #[test]
        fn a_reader_finds_every_field_again(
            rows in proptest::collection::vec(("[a,\"\r\n #']{0,6}|\\PC{0,6}", any::<f64>(), any::<u64>()), 1..8),
        ) {
            let records = Records::rows(&rows)
                .text("text", |row| Some(row.0.as_str()))
                .number("number", |row| Some(row.1))
                .count("count", |row| usize::try_from(row.2).ok())
                .build();
            let written = table(&records);
            let mut reader = csv::Reader::from_reader(written.as_bytes());
            let mut found = 0;
            for (record, row) in reader.records().zip(&rows) {
                let record = record.unwrap();
                prop_assert_eq!(&record[0], row.0.as_str());
                prop_assert_eq!(record[1].parse::<f64>().unwrap().to_bits(), row.1.to_bits());
                prop_assert_eq!(record[2].parse::<u64>().unwrap(), row.2);
                found += 1;
            }
            prop_assert_eq!(found, rows.len());
        }
    }
}
