//! JSON: the table as it is, unrounded, with ranks and notes.

use super::Export;
use crate::report::{ReportError, Table};

/// An array of tables.
pub struct Json;

impl Export for Json {
    fn extension(&self) -> &'static str {
        "json"
    }

    fn export(&self, tables: &[Table]) -> Result<Vec<u8>, ReportError> {
        let mut bytes = serde_json::to_vec_pretty(tables).map_err(|error| ReportError::Export {
            format: "JSON",
            message: error.to_string(),
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
