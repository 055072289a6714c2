//! Parquet: the records with their types.

use crate::table::records::{Cells, Records, Values};
use crate::table::{Document, Format, FormatError, Window};
use polars::prelude::{Column, DataFrame, ParquetCompression, ParquetWriter, PolarsResult};

/// The records, typed; uncompressed, since such a table has few rows and every reader can open it.
pub static PARQUET: Format = Format {
    name: "parquet",
    title: "Parquet",
    extension: "parquet",
    about: "The same with types; needs a file",
    binary: true,
    write,
};

fn write(document: &Document<'_>, _: Window) -> Result<Vec<u8>, FormatError> {
    written(&document.records, ParquetCompression::Uncompressed)
}

/// Records of many rows, compressed.
///
/// # Errors
/// Two columns have the same name.
pub fn compressed(records: &Records<'_>) -> Result<Vec<u8>, FormatError> {
    written(records, ParquetCompression::default())
}

fn written(records: &Records<'_>, how: ParquetCompression) -> Result<Vec<u8>, FormatError> {
    bytes(records, how).map_err(|error| FormatError {
        format: PARQUET.title,
        message: error.to_string(),
    })
}

fn bytes(records: &Records<'_>, how: ParquetCompression) -> PolarsResult<Vec<u8>> {
    let columns = records.columns.iter().map(column).collect();
    let mut frame = DataFrame::new(records.height, columns)?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(how)
        .finish(&mut frame)?;
    Ok(bytes)
}

fn column(values: &Values<'_>) -> Column {
    let name = values.name.as_str().into();
    match &values.cells {
        Cells::Text(texts) => {
            let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
            Column::new(name, texts)
        }
        Cells::Number(numbers) => Column::new(name, numbers),
        Cells::Count(counts) => Column::new(name, counts),
        Cells::Small(counts) => Column::new(name, counts),
        Cells::Truth(truths) => Column::new(name, truths),
    }
}
