//! Parquet in long format, with types.

use super::{Export, long};
use crate::report::{ReportError, Table};
use polars::prelude::{ParquetCompression, ParquetWriter};

/// Long format, unrounded; uncompressed, since a table has few rows and every reader can open it.
pub struct Parquet;

impl Export for Parquet {
    fn extension(&self) -> &'static str {
        "parquet"
    }

    fn export(&self, tables: &[Table]) -> Result<Vec<u8>, ReportError> {
        let mut bytes = Vec::new();
        long::frame(tables)
            .and_then(|mut frame| {
                ParquetWriter::new(&mut bytes)
                    .with_compression(ParquetCompression::Uncompressed)
                    .finish(&mut frame)
            })
            .map_err(|error| ReportError::Export {
                format: "Parquet",
                message: error.to_string(),
            })?;
        Ok(bytes)
    }
}
