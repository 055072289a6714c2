//! Parquet: the records with their types.

use crate::parquet::{Named, file_of};
use crate::table::records::{Cells, Records, Values};
use crate::table::{Document, Format, FormatError, Window};
use polars_arrow::array::{Array, BooleanArray, PrimitiveArray, Utf8ViewArray};

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
    written(&document.records, false)
}

/// Records of many rows, compressed.
///
/// # Errors
/// Two columns have the same name.
pub fn compressed(records: &Records<'_>) -> Result<Vec<u8>, FormatError> {
    written(records, true)
}

fn written(records: &Records<'_>, packed: bool) -> Result<Vec<u8>, FormatError> {
    let columns: Vec<Named> = records.columns.iter().map(column).collect();
    file_of(&columns, records.height, packed).map_err(|message| FormatError {
        format: PARQUET.title,
        message,
    })
}

fn column(values: &Values<'_>) -> Named {
    let array: Box<dyn Array> = match &values.cells {
        Cells::Text(texts) => {
            let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
            Utf8ViewArray::from_slice(&texts).boxed()
        }
        Cells::Number(numbers) => PrimitiveArray::from(numbers).boxed(),
        Cells::Count(counts) => PrimitiveArray::from(counts).boxed(),
        Cells::Small(counts) => PrimitiveArray::from(counts).boxed(),
        Cells::Truth(truths) => BooleanArray::from(truths).boxed(),
    };
    (values.name.clone(), array)
}
