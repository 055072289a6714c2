//! What a format writes.

use super::{FormatError, Grid, Records};
use serde::Serialize;
use serde_json::Value;

/// The same numbers in three shapes, of which each format takes the one that it can show.
#[derive(Debug, Clone, Default)]
pub struct Document<'a> {
    /// For eyes: rounded, with captions and notes.
    pub grids: Vec<Grid>,
    /// For programs that read tables.
    pub records: Records<'a>,
    /// For programs that read JSON.
    pub json: Value,
}

impl<'a> Document<'a> {
    /// A document of grids and records; `data` is what JSON shows.
    ///
    /// # Errors
    /// Fails if the data have no JSON form.
    pub fn new(
        grids: Vec<Grid>,
        records: Records<'a>,
        data: &impl Serialize,
    ) -> Result<Self, FormatError> {
        let json = serde_json::to_value(data).map_err(|error| FormatError {
            format: "JSON",
            message: error.to_string(),
        })?;
        Ok(Self {
            grids,
            records,
            json,
        })
    }
}
