//! JSON: the numbers as the program holds them, unrounded, with ranks and notes.

use crate::table::{Document, Format, FormatError, Window};

/// One value, indented.
pub static JSON: Format = Format {
    name: "json",
    title: "JSON",
    extension: "json",
    about: "Everything that the program knows of the numbers",
    binary: false,
    write,
};

fn write(document: &Document<'_>, _: Window) -> Result<Vec<u8>, FormatError> {
    Ok(format!("{:#}\n", document.json).into_bytes())
}
