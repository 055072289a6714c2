//! What is known of a format.

use super::{Document, FormatError, Window};

/// One format: its names, what it is for, and the function that writes it.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name on the command line.
    pub name: &'static str,
    /// The name in messages.
    pub title: &'static str,
    /// The extension of its files, without the dot.
    pub extension: &'static str,
    /// What it is for, in one line of help.
    pub about: &'static str,
    /// Whether it is bytes that no terminal shows.
    pub binary: bool,
    /// Writes a document. The window is that of standard output; only the terminal's format looks at it.
    pub write: fn(&Document<'_>, Window) -> Result<Vec<u8>, FormatError>,
}

/// Formats are the same when their names are.
impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl Format {
    /// The document as text.
    ///
    /// # Errors
    /// Fails if the document cannot be written in this format.
    pub fn text(&self, document: &Document<'_>, window: Window) -> Result<String, FormatError> {
        let bytes = (self.write)(document, window)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
