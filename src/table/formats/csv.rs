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

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{Column, CsvWriter, DataFrame, SerWriter};
    use proptest::prelude::*;

    fn by_polars(records: &Records<'_>) -> String {
        let columns = records.columns.iter().map(|values| {
            let name = values.name.as_str().into();
            match &values.cells {
                Cells::Text(texts) => {
                    let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
                    Column::new(name, texts)
                }
                Cells::Number(v) => Column::new(name, v),
                Cells::Count(v) => Column::new(name, v),
                Cells::Small(v) => Column::new(name, v),
                Cells::Truth(v) => Column::new(name, v),
            }
        });
        let mut frame = DataFrame::new(records.height, columns.collect()).unwrap();
        let mut bytes = Vec::new();
        CsvWriter::new(&mut bytes)
            .with_line_terminator("\r\n".into())
            .finish(&mut frame)
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    type Line = (Option<f64>, Option<String>, Option<u64>, Option<bool>, u64);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn as_polars(
            lines in proptest::collection::vec(
                (any::<Option<f64>>(), any::<Option<String>>(), any::<Option<u64>>(), any::<Option<bool>>(), any::<u64>()),
                1..20,
            ),
            odd in proptest::collection::vec("[a,\"\r\n #']{0,4}", 20),
        ) {
            let lines: Vec<Line> = lines;
            let lines: Vec<(usize, Line)> = lines.into_iter().enumerate().collect();
            let records = Records::rows(&lines)
                .number("n", |(_, l)| l.0)
                .text("t,\"x", |(_, l)| l.1.as_deref())
                .count("c", |(_, l)| l.2.map(|v| v as usize))
                .truth("b", |(_, l)| l.3)
                .number("bits", |(_, l)| Some(f64::from_bits(l.4)))
                .number("short", |(_, l)| Some((l.4 % 100_000) as f64 / 1000.0))
                .number("unit", |(_, l)| Some((l.4 as f64) / u64::MAX as f64))
                .text("odd", |(at, _)| Some(odd[*at].as_str()))
                .build();
            prop_assert_eq!(table(&records), by_polars(&records));
        }
    }

    #[test]
    fn special_numbers_as_polars() {
        let numbers = [
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            -0.0,
            1.0,
            1e15,
            1e16,
            1e17,
            1e21,
            1e-5,
            1e-6,
            1e-7,
            0.1,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
        ];
        let records = Records::rows(&numbers).number("n", |n| Some(*n)).build();
        assert_eq!(table(&records), by_polars(&records));
    }
}
