//! Tables as Python's `csv` and pandas write them.

/// A cell of a table with commas, in quotation marks where it must have them.
pub fn cell(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
