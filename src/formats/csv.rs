//! Tables with a header line, read by polars. Every value is a string.

use super::description::{FormatDescription, Reading};
use super::record::{Place, Raw};
use crate::record::Object;
use polars::prelude::{CsvParseOptions, CsvReadOptions, DataFrame, PolarsError, SerReader as _};
use std::io::Cursor;

/// A table with commas.
pub(super) static CSV: FormatDescription = FormatDescription {
    name: "csv",
    about: "A table with a header line; every value is a string.",
    expected: "a header line and at least one row",
    extensions: &["csv"],
    own_json: None,
    reading: Reading::Text(|text, _| rows(text)),
};

/// The rows of a table.
///
/// # Errors
/// Fails if the text is not a table.
pub(super) fn rows(text: &str) -> Result<Vec<Raw<'static>>, String> {
    if text.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let table = table(text, b',')
        .map_err(|error| format!("this is not a CSV table: {}", first_line(&error)))?;
    let columns = table
        .columns()
        .iter()
        .map(|column| Ok((column.name().to_string(), column.str()?)))
        .collect::<Result<Vec<_>, PolarsError>>()
        .map_err(|error| error.to_string())?;
    let fields = |row| {
        let cells = columns.iter();
        let filled =
            cells.filter_map(|(name, column)| Some((name.clone(), column.get(row)?.into())));
        filled.collect::<Object>()
    };
    Ok((0..table.height())
        .map(|row| Raw::parsed(Place::Record(row + 1), None, fields(row)))
        .collect())
}

/// The message of polars without the advice that follows, which is about polars itself.
pub(super) fn first_line(error: &PolarsError) -> String {
    let message = error.to_string();
    message.lines().next().unwrap_or_default().to_owned()
}

/// The table that a text writes.
///
/// # Errors
/// Fails if it is none.
pub(super) fn table(text: &str, separator: u8) -> Result<DataFrame, PolarsError> {
    CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(Some(0))
        .with_n_threads(Some(1))
        .with_parse_options(
            CsvParseOptions::default()
                .with_separator(separator)
                .with_missing_is_null(false),
        )
        .into_reader_with_file_handle(Cursor::new(text.as_bytes()))
        .finish()
}
