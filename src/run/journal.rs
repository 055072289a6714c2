//! Append-only JSON lines.
//!
//! A killed writer can leave a torn last line. Opening the journal to append cuts it off, and reading skips
//! it. Both leave a note. Lines go to the kernel as soon as the writer catches up, so that a killed process
//! loses nothing that was appended and flushed; they go to the disk ([`Journal::sync`]) every second and at
//! the end.

use super::error::RunError;
use crate::files::write_durable_by;
use crate::text::count::counted;
use crate::text::json_fault;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

const FLUSH_BYTES: usize = 1 << 16;
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// A journal opened for appending.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Bytes that are known to be whole lines.
    length: u64,
    synced: Instant,
}

impl Journal {
    /// Opens the journal, or creates it. A torn last line is cut off, and a note says how long it was.
    ///
    /// # Errors
    /// Fails if the file cannot be opened for reading and writing.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<String>), RunError> {
        let failed =
            |error: std::io::Error| RunError::io("cannot open for appending", path, &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Not at a place that is remembered: should two processes ever write, no line is overwritten.
        #[cfg(unix)]
        options.append(true);
        let mut file = options.open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let length = whole_lines(&mut file, size).map_err(failed)?;
        let note = (length < size).then(|| {
            format!(
                "a torn last line of {} is cut off in {}",
                counted((size - length) as usize, "byte"),
                path.display()
            )
        });
        if note.is_some() {
            file.set_len(length).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(length)).map_err(failed)?;
        let journal = Self {
            path: path.to_path_buf(),
            file,
            buffer: Vec::new(),
            length,
            synced: Instant::now(),
        };
        Ok((journal, note))
    }

    /// Adds one serialised record (without its newline).
    ///
    /// # Errors
    /// Fails when [`Self::flush`] fails.
    pub(super) fn append(&mut self, line: &[u8]) -> Result<(), RunError> {
        self.buffer.extend_from_slice(line);
        self.buffer.push(b'\n');
        if self.buffer.len() >= FLUSH_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Hands everything to the kernel.
    ///
    /// # Errors
    /// Fails if the disk refuses. A line that is only half written is cut off again, so that the file has
    /// whole lines only.
    pub(super) fn flush(&mut self) -> Result<(), RunError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(&self.buffer) {
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
            return Err(RunError::io("cannot append to", &self.path, &error));
        }
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        if self.synced.elapsed() >= SYNC_EVERY {
            self.sync()
        } else {
            Ok(())
        }
    }

    /// Makes this the journal that was written last, also when nothing is added to it.
    pub(super) fn touch(&self) {
        // Without it, the time of the last line counts.
        let _ = self.file.set_modified(SystemTime::now());
    }

    /// Waits until everything flushed is on the disk.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub(super) fn sync(&mut self) -> Result<(), RunError> {
        self.synced = Instant::now();
        self.file
            .sync_data()
            .map_err(|error| RunError::io("cannot sync", &self.path, &error))
    }
}

/// The length of all whole lines, in bytes.
fn whole_lines(file: &mut File, size: u64) -> std::io::Result<u64> {
    const STEP: u64 = 1 << 16;
    let mut end = size;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut chunk = vec![0; usize::try_from(end - start).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut chunk)?;
        if let Some(at) = chunk.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Start and end of a line, with its 1-based number.
type Span = (usize, usize, usize);

/// The bytes of a journal and where its lines are.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Each line that is not blank.
    spans: Vec<Span>,
    /// A last line that is not JSON and does not end.
    torn: Option<Span>,
    /// A note on a torn last line, if there was one.
    pub note: Option<String>,
}

impl Lines {
    /// Reads a journal; a missing file is an empty journal.
    ///
    /// # Errors
    /// Fails if the file exists and cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self, RunError> {
        let mut bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(RunError::io("cannot read", path, &error)),
        };
        // The records may be another program's, which may begin a file with a byte order mark.
        crate::text::json::mend(&mut bytes);
        let mut spans = Vec::new();
        let mut start = if bytes.starts_with(b"\xEF\xBB\xBF") {
            3
        } else {
            0
        };
        let mut number = 0;
        let mut torn = None;
        while start < bytes.len() {
            number += 1;
            let end = memchr::memchr(b'\n', &bytes[start..]).map(|at| start + at);
            let stop = end.unwrap_or(bytes.len());
            if end.is_none()
                && serde_json::from_slice::<serde::de::IgnoredAny>(&bytes[start..stop]).is_err()
            {
                torn = Some((start, stop, number));
            } else if bytes[start..stop]
                .iter()
                .any(|byte| !byte.is_ascii_whitespace())
            {
                spans.push((start, stop, number));
            }
            start = stop + 1;
        }
        Ok(Self {
            path: path.to_path_buf(),
            note: torn.map(|(.., number)| {
                let path = path.display();
                format!("a torn last line (line {number}) is skipped in {path}")
            }),
            bytes,
            spans,
            torn,
        })
    }

    /// Parses every line, in order, on all cores.
    ///
    /// # Errors
    /// Fails if a line is not the expected record, with its number.
    pub(super) fn parse<'a, T: serde::Deserialize<'a> + Send>(
        &'a self,
    ) -> Result<Vec<T>, RunError> {
        // The results are collected into a vector first, whose memory is used again: collecting the records
        // directly would hold everything twice.
        let records: Vec<Result<T, RunError>> = self
            .spans
            .par_iter()
            .with_min_len(256)
            .map(|span| self.parse_span(*span))
            .collect();
        records.into_iter().collect()
    }

    /// The lines with their 1-based numbers; the torn one is the last.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let spans = self.spans.iter().chain(&self.torn);
        spans.map(|(start, end, number)| (*number, self.bytes[*start..*end].trim_ascii()))
    }

    /// How many records there are.
    pub(super) fn count(&self) -> usize {
        self.spans.len()
    }

    /// The number of the torn last line, if there is one.
    pub(super) fn torn(&self) -> Option<usize> {
        self.torn.map(|(.., number)| number)
    }

    /// The bytes of one record, by its place among the records.
    pub(super) fn raw(&self, index: usize) -> &[u8] {
        let (start, end, _) = self.spans[index];
        self.bytes[start..end].trim_ascii()
    }

    /// Parses one line by its place among the records.
    ///
    /// # Errors
    /// Fails if the line is not the expected record, with its number.
    pub(super) fn parse_one<'a, T: serde::Deserialize<'a>>(
        &'a self,
        index: usize,
    ) -> Result<T, RunError> {
        self.parse_span(self.spans[index])
    }

    fn parse_span<'a, T: serde::Deserialize<'a>>(&'a self, span: Span) -> Result<T, RunError> {
        let (start, end, number) = span;
        let text = &self.bytes[start..end];
        serde_json::from_slice(text).map_err(|error| broken(&self.path, number, text, &error))
    }
}

/// Several journals, whose records are counted through: those of the first one come first.
#[derive(Debug)]
pub(super) struct Journals(Vec<Lines>);

impl Journals {
    /// Reads journals; a missing file is an empty journal.
    ///
    /// # Errors
    /// Fails if a file exists and cannot be read.
    pub(super) fn read(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self, RunError> {
        let journals = paths.into_iter().map(|path| Lines::read(&path));
        Ok(Self(journals.collect::<Result<_, _>>()?))
    }

    /// A note on a torn last line of the first journal. The others may just be written.
    pub(super) fn note(&self) -> Option<&String> {
        self.0.first()?.note.as_ref()
    }

    /// How many records the first journal has.
    pub(super) fn own(&self) -> usize {
        self.0.first().map_or(0, Lines::count)
    }

    /// Parses every line, in order, on all cores.
    ///
    /// # Errors
    /// Fails if a line is not the expected record, with its number.
    pub(super) fn parse<'a, T: serde::Deserialize<'a> + Send>(
        &'a self,
    ) -> Result<Vec<T>, RunError> {
        let mut all = Vec::new();
        for lines in &self.0 {
            if all.is_empty() {
                all = lines.parse()?;
            } else {
                all.extend(lines.parse::<T>()?);
            }
        }
        Ok(all)
    }

    /// The bytes of one record, by its place among the records.
    pub(super) fn raw(&self, index: usize) -> &[u8] {
        let (lines, index) = self.place(index);
        lines.raw(index)
    }

    /// Parses one line by its place among the records.
    ///
    /// # Errors
    /// Fails if the line is not the expected record, with its number.
    pub(super) fn parse_one<'a, T: serde::Deserialize<'a>>(
        &'a self,
        index: usize,
    ) -> Result<T, RunError> {
        let (lines, index) = self.place(index);
        lines.parse_one(index)
    }

    /// The journal of a record, and its place there.
    fn place(&self, mut index: usize) -> (&Lines, usize) {
        let mut last = 0;
        for (number, lines) in self.0.iter().enumerate() {
            last = number;
            if index < lines.count() {
                break;
            }
            index -= lines.count();
        }
        (&self.0[last], index)
    }
}

/// An error about a line that is not a record.
pub(super) fn broken(path: &Path, line: usize, text: &[u8], error: &serde_json::Error) -> RunError {
    let reason = json_fault::describe(text, error);
    RunError::line(
        path,
        line,
        reason,
        "each line is one JSON object; see docs/reference/run-folder.md",
    )
}

/// Reads all records of a journal.
///
/// # Errors
/// Fails if the file exists and cannot be read, or a line is not the expected record.
pub fn read_all<T: DeserializeOwned + Send>(path: &Path) -> Result<Vec<T>, RunError> {
    Lines::read(path)?.parse()
}

/// How many records are serialised at once, which bounds the memory: there may be a million of them.
pub(super) const LINES_AT_ONCE: usize = 1 << 16;

/// Writes records as JSON lines, durably.
///
/// # Errors
/// Fails if the disk refuses.
pub(super) fn write_lines<T: serde::Serialize + Sync>(
    path: &Path,
    records: &[T],
) -> Result<(), RunError> {
    let fill = |file: &mut File| {
        let mut chunks = records.chunks(LINES_AT_ONCE);
        chunks.try_for_each(|chunk| file.write_all(&to_lines(chunk)?))
    };
    Ok(write_durable_by(path, fill)?)
}

/// Serialises records to JSON lines, on all cores.
///
/// # Errors
/// Fails if a record has no JSON form.
pub fn to_lines<T: serde::Serialize + Sync>(records: &[T]) -> serde_json::Result<Vec<u8>> {
    let chunks: Vec<Vec<u8>> = records
        .par_chunks(4096)
        .map(|chunk| {
            let mut bytes = Vec::with_capacity(chunk.len() * 160);
            for record in chunk {
                serde_json::to_writer(&mut bytes, record)?;
                bytes.push(b'\n');
            }
            Ok(bytes)
        })
        .collect::<serde_json::Result<_>>()?;
    Ok(chunks.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_cut_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("outputs.jsonl");
        std::fs::write(&path, "{\"a\":1}\n{\"a\":2}\n{\"a\":").unwrap();
        let lines = Lines::read(&path).unwrap();
        assert_eq!(lines.parse::<serde_json::Value>().unwrap().len(), 2);
        assert!(lines.note.as_deref().unwrap().contains("line 3"));
        let (mut journal, note) = Journal::open(&path).unwrap();
        assert!(note.unwrap().contains("5 bytes"));
        journal.append(b"{\"a\":3}").unwrap();
        journal.flush().unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"
        );
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named_by_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        std::fs::write(&path, "{\"a\":1}\n\nnonsense\n{\"a\":2}\n").unwrap();
        let error = read_all::<serde_json::Value>(&path)
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn a_line_separator_inside_a_string_does_not_end_a_record() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        std::fs::write(&path, "{\"a\":\"x\u{2028}y\u{85}z\"}\n").unwrap();
        let records = read_all::<serde_json::Value>(&path).unwrap();
        assert_eq!(records[0]["a"], "x\u{2028}y\u{85}z");
    }
}
