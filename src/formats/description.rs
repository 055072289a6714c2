//! What is known of a format.

use super::error::Unreadable;
use super::record::Raw;
use super::table::{Columns, Sink};
use std::path::Path;

/// What is known of a format.
pub struct FormatDescription {
    /// The name in suites.
    pub name: &'static str,
    /// How a source is written, in a sentence or two.
    pub about: &'static str,
    /// What an empty source should have held, as a message says it.
    pub expected: &'static str,
    /// How names of such files end, in small letters.
    pub extensions: &'static [&'static str],
    /// How several files become one source, for a form of JSON whose files end in `.json`, too. `None` for
    /// every other format.
    pub own_json: Option<Several>,
    /// Reads a source.
    pub reading: Reading,
}

/// What makes one source of several JSON files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Several {
    /// One array: of the elements of their arrays, and of their other values.
    Array,
    /// One object: their values under the names of the files, without the extension.
    ByName,
}

/// How a format is read.
pub enum Reading {
    /// As a whole text.
    Text(TextReader),
    /// As a whole text, or record by record where there are pictures inside.
    TextOrRows(TextReader, RowReader),
    /// Row by row.
    Rows(RowReader),
    /// As a folder.
    Folder(FolderReader),
}

/// Gives the records of a text; the second argument is the name of its file without the extension. Broken
/// records are no errors: they come among the others.
///
/// # Errors
/// Fails with what is wrong with the text as a whole.
pub type TextReader = for<'a> fn(&'a str, &str) -> Result<Vec<Raw<'a>>, String>;

/// Hands over the rows of a file, batch by batch; the second argument is the name of the file among several.
/// Broken rows come among the others.
///
/// # Errors
/// Fails if the file cannot be read or is no such table.
pub type RowReader = fn(&Path, Option<&str>, &Columns, &mut Sink<'_>) -> Result<(), Unreadable>;

/// Gives the records of a folder.
///
/// # Errors
/// Fails if the folder cannot be listed.
pub type FolderReader = fn(&Path) -> Result<Vec<Raw<'static>>, Unreadable>;

impl FormatDescription {
    /// Whether it is always read row by row: a table of any size, of which several files make one source.
    pub fn is_table(&self) -> bool {
        matches!(self.reading, Reading::Rows(_))
    }

    /// Whether several files in this format make one source: tables, and files with one JSON value each.
    pub fn takes_several_files(&self) -> bool {
        self.is_table() || self.extensions.contains(&"json")
    }

    /// The reader of files with pictures inside, where the format has room for them.
    pub fn row_reader(&self) -> Option<RowReader> {
        match self.reading {
            Reading::Rows(read) | Reading::TextOrRows(_, read) => Some(read),
            Reading::Text(_) | Reading::Folder(_) => None,
        }
    }

    /// The records of a text from a file of this name without its extension. A byte order mark is skipped.
    ///
    /// # Errors
    /// Fails with what is wrong with the text as a whole.
    pub fn read_text<'a>(&self, text: &'a str, stem: &str) -> Result<Vec<Raw<'a>>, String> {
        let text = text.trim_start_matches('\u{feff}');
        match self.reading {
            Reading::Text(read) | Reading::TextOrRows(read, _) => read(text, stem),
            Reading::Rows(_) => Err("this is read row by row".to_owned()),
            Reading::Folder(_) => Err(format!(
                "this is a file, but a folder is expected, with {}",
                self.expected
            )),
        }
    }
}
