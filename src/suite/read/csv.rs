//! Tables with a header line, read by polars. Every value is a string.

use super::{Place, Records};
use crate::record::Object;
use polars::prelude::{CsvParseOptions, CsvReadOptions, DataFrame, PolarsError, SerReader as _};
use std::io::Cursor;

pub(super) fn read(text: &str) -> Result<Records, String> {
    let mut records = Records::default();
    if text.trim_ascii().is_empty() {
        return Ok(records);
    }
    let table = table(text).map_err(|error| {
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default();
        format!("this is not a CSV table: {first}")
    })?;
    let columns = table
        .columns()
        .iter()
        .map(|column| Ok((column.name().to_string(), column.str()?)))
        .collect::<Result<Vec<_>, PolarsError>>()
        .map_err(|error| error.to_string())?;
    for row in 0..table.height() {
        let mut fields = Object::new();
        for (name, column) in &columns {
            if let Some(value) = column.get(row) {
                fields.insert(name.clone(), value.into());
            }
        }
        records.add(Place::Record(row + 1), fields);
    }
    Ok(records)
}

fn table(text: &str) -> Result<DataFrame, PolarsError> {
    CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(Some(0))
        .with_n_threads(Some(1))
        .with_parse_options(CsvParseOptions::default().with_missing_is_null(false))
        .into_reader_with_file_handle(Cursor::new(text.as_bytes()))
        .finish()
}
