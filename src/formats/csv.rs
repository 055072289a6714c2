//! Tables with commas and a header line. Every value is a string.

use super::description::{FormatDescription, Reading};
use super::record::{Place, Raw};
use super::separated::{RawRows, Values, wrong_count};
use crate::record::Object;

/// A table with commas.
pub(super) static CSV: FormatDescription = FormatDescription {
    name: "csv",
    about: "A table with a header line; every value is a string.",
    expected: "a header line and at least one row",
    extensions: &["csv"],
    own_json: None,
    reading: Reading::Text(|text, _| rows(text)),
};

/// The rows of a table. A row that is too short lacks its last fields.
///
/// # Errors
/// Fails if the text is not a table.
pub(super) fn rows(text: &str) -> Result<Vec<Raw<'static>>, String> {
    let wrong = |problem: String| format!("this is not a CSV table: {problem}");
    let mut source = RawRows::new(text.as_bytes(), b',');
    let mut values = Values::new(b',');
    let mut row = Vec::new();
    if !source.next(&mut row).map_err(wrong)? {
        return Ok(Vec::new());
    }
    let names = values.names(&row).map_err(wrong)?;
    let mut rows = Vec::new();
    loop {
        let number = rows.len() + 1;
        let in_row = |problem: String| wrong(format!("row {number}: {problem}"));
        if !source.next(&mut row).map_err(in_row)? {
            return Ok(rows);
        }
        let values = values.split(&row).map_err(in_row)?;
        if values.len() > names.len() {
            return Err(in_row(wrong_count(values.len(), names.len())));
        }
        let fields = names.iter().cloned().zip(values.iter().map(Into::into));
        let fields: Object = fields.collect();
        rows.push(Raw::parsed(Place::Record(number), None, fields));
    }
}
