//! Parquet files by the Arrow project's own crate: the program writes and reads them with another one.

use parquet::basic::{ConvertedType, Type};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::schema::parser::parse_message_type;
use std::path::Path;
use std::sync::Arc;

/// The values of a column that a test writes.
pub enum Cells {
    Texts(Vec<String>),
    Bytes(Vec<Vec<u8>>),
    Integers(Vec<i64>),
    Truths(Vec<bool>),
}

/// A column of texts.
pub fn texts<S: ToString>(values: impl IntoIterator<Item = S>) -> Cells {
    Cells::Texts(values.into_iter().map(|value| value.to_string()).collect())
}

/// A column of bytes.
pub fn bytes<B: AsRef<[u8]>>(values: impl IntoIterator<Item = B>) -> Cells {
    Cells::Bytes(
        values
            .into_iter()
            .map(|value| value.as_ref().to_vec())
            .collect(),
    )
}

/// Writes one group of rows.
pub fn write(path: &Path, columns: &[(&str, Cells)]) {
    let fields = columns.iter().map(|(name, cells)| match cells {
        Cells::Texts(_) => format!("REQUIRED BYTE_ARRAY {name} (UTF8);"),
        Cells::Bytes(_) => format!("REQUIRED BYTE_ARRAY {name};"),
        Cells::Integers(_) => format!("REQUIRED INT64 {name};"),
        Cells::Truths(_) => format!("REQUIRED BOOLEAN {name};"),
    });
    let schema = format!("message table {{ {} }}", fields.collect::<String>());
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, cells) in columns {
        let mut column = group.next_column().unwrap().unwrap();
        match cells {
            Cells::Texts(values) => {
                let values: Vec<ByteArray> =
                    values.iter().map(|text| text.as_str().into()).collect();
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&values, None, None)
            }
            Cells::Bytes(values) => {
                let values: Vec<ByteArray> =
                    values.iter().map(|bytes| bytes.clone().into()).collect();
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&values, None, None)
            }
            Cells::Integers(values) => column.typed::<Int64Type>().write_batch(values, None, None),
            Cells::Truths(values) => column.typed::<BoolType>().write_batch(values, None, None),
        }
        .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

/// A file as another program reads it.
pub struct Read {
    /// The name of each column, its physical type and what that stands for.
    pub types: Vec<(String, Type, ConvertedType)>,
    /// The values of each row, in the order of the columns.
    pub rows: Vec<Vec<Field>>,
}

impl Read {
    /// The values of a column.
    pub fn column(&self, name: &str) -> Vec<Field> {
        let at = self.types.iter().position(|(found, ..)| found == name);
        let at = at.unwrap_or_else(|| panic!("there is no column {name}"));
        self.rows.iter().map(|row| row[at].clone()).collect()
    }

    /// The names of the columns, with a blank between them.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.types.iter().map(|(name, ..)| name.as_str()).collect();
        names.join(" ")
    }
}

/// Reads a whole file.
pub fn read(bytes: Vec<u8>) -> Read {
    let file = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let schema = file.metadata().file_metadata().schema_descr();
    let columns = schema.columns().iter();
    let types = columns.map(|column| {
        (
            column.name().to_owned(),
            column.physical_type(),
            column.converted_type(),
        )
    });
    let rows = file.get_row_iter(None).unwrap();
    let rows = rows.map(|row| {
        let row = row.unwrap();
        row.get_column_iter()
            .map(|(_, field)| field.clone())
            .collect()
    });
    Read {
        types: types.collect(),
        rows: rows.collect(),
    }
}
