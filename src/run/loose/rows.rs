//! The rows of a loose file, as the records that they make.

use super::row::{HELP, Row};
use crate::run::error::RunError;
use crate::run::journal::Lines;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// A loose file.
pub(super) struct LooseFile {
    path: PathBuf,
    lines: Lines,
}

/// The rows of a file.
pub(super) struct Rows<T> {
    /// The file.
    pub path: PathBuf,
    /// What became of each row, in order.
    pub rows: Vec<Made<T>>,
    /// A note on a torn last line, if there was one.
    pub note: Option<String>,
}

/// What became of a row.
pub(super) struct Made<T> {
    /// The number of the line, from 1.
    pub line: usize,
    /// Whether the row leaves out which of an item's outputs it is about.
    pub implies_repeat: bool,
    /// The record, or what is wrong with the row.
    pub record: Result<T, RunError>,
}

impl LooseFile {
    /// # Errors
    /// Fails if the file cannot be read, or is of another format altogether.
    pub(super) fn open(path: &Path) -> Result<Self, RunError> {
        std::fs::metadata(path).map_err(|error| RunError::io("cannot read", path, &error))?;
        let lines = Lines::read(path)?;
        if let Some((line, text)) = lines.numbered().next() {
            refuse_other_formats(path, line, text)?;
        }
        let path = path.to_owned();
        Ok(Self { path, lines })
    }

    /// The first row. `None` if the file is empty or the line is damaged.
    pub(super) fn first(&self) -> Option<Row> {
        let (line, text) = self.lines.numbered().next()?;
        Row::read(&self.path, line, text).ok()
    }

    /// The records of all rows, made on all cores.
    ///
    /// # Errors
    /// Fails if a line is not an object. What is wrong with an object is next to its row.
    pub(super) fn records<T: Send>(
        self,
        make: impl Fn(&Path, Row) -> Result<T, RunError> + Sync,
    ) -> Result<Rows<T>, RunError> {
        let Self { path, lines } = self;
        let numbered: Vec<(usize, &[u8])> = lines.numbered().collect();
        let made = |&(line, text): &(usize, &[u8])| -> Result<Made<T>, RunError> {
            let row = Row::read(&path, line, text)?;
            Ok(Made {
                line,
                implies_repeat: row.implies_repeat(),
                record: make(&path, row),
            })
        };
        let read: Vec<Result<Made<T>, RunError>> =
            numbered.par_iter().with_min_len(256).map(made).collect();
        // A torn last line is skipped, unless it is a whole record.
        let torn = matches!(read.last(), Some(Err(_))) && lines.torn().is_some();
        let whole = read.len() - usize::from(torn);
        let rows = read.into_iter().take(whole).collect::<Result<_, _>>()?;
        Ok(Rows {
            path,
            rows,
            note: lines.note.filter(|_| torn),
        })
    }
}

impl<T> Rows<T> {
    /// The records.
    ///
    /// # Errors
    /// Fails with the error of the first row that makes no record.
    pub(super) fn into_records(self) -> Result<Vec<T>, RunError> {
        self.rows.into_iter().map(|row| row.record).collect()
    }

    /// The rows before the first that makes no record, with their records.
    pub(super) fn good(&self) -> impl Iterator<Item = (&Made<T>, &T)> {
        self.rows
            .iter()
            .map_while(|row| Some((row, row.record.as_ref().ok()?)))
    }
}

/// Refuses what is written in another way altogether.
fn refuse_other_formats(path: &Path, line: usize, text: &[u8]) -> Result<(), RunError> {
    let (what, help) = match text {
        [b'[', ..] => (
            "the file is a JSON array, but one object on each line is expected",
            "write each element on a line of its own: `jq -c '.[]' FILE`",
        ),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => (
            "the file is UTF-16, but UTF-8 is expected",
            "save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8 FILE`",
        ),
        [b'P', b'A', b'R', b'1', ..] => ("the file is Parquet, but JSON is expected", HELP),
        _ => return Ok(()),
    };
    Err(RunError::line(path, line, what, help))
}
