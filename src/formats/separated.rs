//! Tables as text: raw rows of any source, and their values. The crate `csv` takes a row apart; where a row
//! ends is found here, since a row may be as large as a picture and a stray quotation mark must not join all
//! rows to one.

use super::table::MAX_ROW_BYTES;
use crate::text::count::counted;
use memchr::memchr;
use std::collections::HashMap;
use std::io::{BufRead, Read as _};

/// Rows as bytes, without their line ends and without blank ones.
pub(super) struct RawRows<R> {
    source: R,
    separator: u8,
    first: bool,
}

impl<R: BufRead> RawRows<R> {
    pub(super) fn new(source: R, separator: u8) -> Self {
        Self {
            source,
            separator,
            first: true,
        }
    }

    /// Puts the next row into `row`; false at the end.
    ///
    /// # Errors
    /// The row is too long, or is open at the end of the source; the reason in words.
    pub(super) fn next(&mut self, row: &mut Vec<u8>) -> Result<bool, String> {
        row.clear();
        let mut open = false;
        loop {
            let start = row.len();
            let room = (MAX_ROW_BYTES + 1).saturating_sub(start) as u64;
            let read = self.source.by_ref().take(room).read_until(b'\n', row);
            read.map_err(|error| format!("cannot be read ({error})"))?;
            if row.len() > MAX_ROW_BYTES {
                return Err(format!("it is longer than {} MB", MAX_ROW_BYTES >> 20));
            }
            if row.len() == start {
                return if open {
                    Err("the file ends inside a quoted value".to_owned())
                } else {
                    Ok(false)
                };
            }
            if std::mem::take(&mut self.first) && row.starts_with("\u{feff}".as_bytes()) {
                row.drain(.."\u{feff}".len());
            }
            open = is_open(&row[start.min(row.len())..], self.separator, open);
            if open {
                continue;
            }
            if row.iter().all(u8::is_ascii_whitespace) {
                row.clear();
                continue;
            }
            if row.ends_with(b"\n") {
                row.pop();
                if row.ends_with(b"\r") {
                    row.pop();
                }
            }
            return Ok(true);
        }
    }
}

/// Whether a quoted value continues after the line, where one was `open` before it.
fn is_open(line: &[u8], separator: u8, mut open: bool) -> bool {
    let mut at = 0;
    let mut at_start = true;
    while at < line.len() {
        if open {
            let Some(quote) = memchr(b'"', &line[at..]) else {
                return true;
            };
            at += quote + 1;
            match line.get(at) {
                Some(b'"') => at += 1,
                _ => (open, at_start) = (false, false),
            }
        } else if at_start && line[at] == b'"' {
            open = true;
            at += 1;
        } else {
            let Some(end) = memchr(separator, &line[at..]) else {
                return false;
            };
            at += end + 1;
            at_start = true;
        }
    }
    open
}

/// What is wrong with a row whose values do not fit the header.
pub(super) fn wrong_count(values: usize, header: usize) -> String {
    let values = counted(values, "value");
    format!("it has {values}, but the header has {header}")
}

/// Takes rows apart.
pub(super) struct Values {
    separator: u8,
    record: csv::StringRecord,
}

impl Values {
    pub(super) fn new(separator: u8) -> Self {
        Self {
            separator,
            record: csv::StringRecord::new(),
        }
    }

    /// The values of a row, quotation marks taken off.
    ///
    /// # Errors
    /// The row is not UTF-8 text.
    pub(super) fn split(&mut self, row: &[u8]) -> Result<&csv::StringRecord, String> {
        // The row has no line end of its own, and those in quoted values are part of them.
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.separator)
            .has_headers(false)
            .flexible(true)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(row);
        let read = reader.read_record(&mut self.record);
        read.map_err(|_| "this is not UTF-8 text".to_owned())?;
        Ok(&self.record)
    }

    /// The names of a header. A name that stands there again gets a number behind it.
    ///
    /// # Errors
    /// The header is not UTF-8 text.
    pub(super) fn names(&mut self, header: &[u8]) -> Result<Vec<String>, String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let names = self.split(header)?.iter().map(|name| {
            let again = seen.entry(name.to_owned()).or_default();
            *again += 1;
            match *again {
                1 => name.to_owned(),
                again => format!("{name}_duplicated_{}", again - 2),
            }
        });
        Ok(names.collect())
    }
}
