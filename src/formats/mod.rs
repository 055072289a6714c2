//! How sources of items are written: one file describes one format, and reads a source into JSON objects with
//! their places.

mod csv;
mod description;
mod dpg;
mod error;
mod genai;
mod imgedit;
mod json;
mod json_reason;
mod jsonl;
pub mod lists;
mod parquet;
mod record;
mod separated;
pub mod table;
mod text_folder;
mod tsv;

pub use description::{FolderReader, FormatDescription, Reading, RowReader, Several, TextReader};
pub use error::Unreadable;
pub use record::{Place, Raw, Record, RecordFault};

use crate::named::{Described, Named};
use std::path::Path;
use table::{Columns, Sink};

/// A format, as a suite names it.
pub type Format = Named<FormatDescription>;

/// All formats. Where a folder holds tables of several formats, those of the last one are the source.
static ALL: &[&FormatDescription] = &[
    &jsonl::JSONL,
    &json::JSON,
    &csv::CSV,
    &tsv::TSV,
    &parquet::PARQUET,
    &dpg::DPG_CSV,
    &dpg::DPG_CSV_WHOLE,
    &imgedit::IMGEDIT,
    &genai::GENAI_BENCH,
    &text_folder::TEXT_FOLDER,
];

/// Hands over the rows of a file with pictures inside, batch by batch. `name` is the file's own name, where
/// several files make one source.
///
/// # Errors
/// Fails if the file cannot be read, or the format has no room for pictures.
pub fn read_rows(
    format: Format,
    path: &Path,
    name: Option<&str>,
    columns: &Columns,
    sink: &mut Sink<'_>,
) -> Result<(), Unreadable> {
    if let Some(read) = format.row_reader() {
        return read(path, name, columns, sink);
    }
    let others = ALL.iter().filter(|format| format.row_reader().is_some());
    let others: Vec<&str> = others.map(|format| format.name).collect();
    let problem = format!("a source in the format `{format}` cannot contain pictures");
    Err(Unreadable::new(path, problem).with_help(format!(
        "use a format that can contain pictures: {}",
        others.join(", ")
    )))
}

/// The format that the extension of a file's name stands for. `None` if there is no such format.
pub fn by_extension(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let mut all = ALL.iter();
    let format = all.find(|format| format.extensions.contains(&extension.as_str()))?;
    Some(Format::new(format))
}

/// How the names of files in some of the formats usually end, in words: `.jsonl, .json or .csv`.
pub fn usual_endings(is_meant: impl Fn(&FormatDescription) -> bool) -> String {
    let meant = ALL.iter().filter(|format| is_meant(format));
    let endings = meant.filter_map(|format| format.extensions.first());
    let endings: Vec<String> = endings.map(|ending| format!(".{ending}")).collect();
    match endings.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => endings.concat(),
    }
}

/// The formats of tables. Where a folder has tables of several formats, those of the first one are the
/// source.
pub fn tables() -> impl Iterator<Item = Format> {
    let tables = ALL.iter().rev().filter(|format| format.is_table());
    tables.copied().map(Format::new)
}

/// The format of a folder that holds no tables.
pub fn of_folders() -> Format {
    Format::new(&text_folder::TEXT_FOLDER)
}

impl Described for FormatDescription {
    const KIND: &'static str = "Format";
    const ABOUT: &'static str = "How a source of items is written.";

    fn all() -> &'static [&'static Self] {
        ALL
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }
}

#[cfg(test)]
mod tests;
