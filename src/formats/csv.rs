//! Tables with a header line, read by polars. Every value is a string.

use super::{Place, Raw};
use crate::record::Object;
use polars::prelude::{CsvParseOptions, CsvReadOptions, DataFrame, PolarsError, SerReader as _};
use std::io::Cursor;

pub(super) fn read(text: &str) -> Result<Vec<Raw<'static>>, String> {
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

/// Without the advice that follows, which is about polars.
pub(super) fn first_line(error: &PolarsError) -> String {
    let message = error.to_string();
    message.lines().next().unwrap_or_default().to_owned()
}

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
