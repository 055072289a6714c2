//! One file a format, and the list of them all. A new format is its file and its two lines here.

pub mod csv;
pub mod html;
pub mod json;
pub mod latex;
pub mod markdown;
pub mod parquet;
pub mod terminal;

use super::Format;
use std::path::Path;

/// All formats, in the order in which help names them.
pub static FORMATS: [&Format; 7] = [
    &terminal::TERMINAL,
    &markdown::MARKDOWN,
    &latex::LATEX,
    &html::HTML,
    &csv::CSV,
    &parquet::PARQUET,
    &json::JSON,
];

/// The format with this name on the command line.
pub fn named(name: &str) -> Option<&'static Format> {
    FORMATS.into_iter().find(|format| format.name == name)
}

/// The format that the extension of a file's name says.
pub fn of_file(path: &Path) -> Option<&'static Format> {
    let extension = path.extension()?.to_str()?;
    let mut formats = FORMATS.into_iter();
    formats.find(|format| format.extension == extension)
}
