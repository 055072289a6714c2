//! CSV as RFC 4180 has it: a header, CRLF, quotes doubled; in long format.

use super::{Export, long};
use crate::report::{ReportError, Table};
use polars::prelude::{CsvWriter, SerWriter};

/// Long format, unrounded.
pub struct Csv;

impl Export for Csv {
    fn extension(&self) -> &'static str {
        "csv"
    }

    fn export(&self, tables: &[Table]) -> Result<Vec<u8>, ReportError> {
        let mut bytes = Vec::new();
        long::frame(tables)
            .and_then(|mut frame| {
                CsvWriter::new(&mut bytes)
                    .with_line_terminator("\r\n".into())
                    .finish(&mut frame)
            })
            .map_err(|error| ReportError::Export {
                format: "CSV",
                message: error.to_string(),
            })?;
        Ok(bytes)
    }
}
