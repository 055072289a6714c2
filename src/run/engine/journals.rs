//! The thread that appends records to the journals.

use super::shared::Shared;
use crate::record::{Evidence, Output};
use crate::run::error::RunError;
use crate::run::folder::Stream;
use crate::run::journal::Journal;
use crossbeam_channel::Receiver;
use serde::Serialize;

/// A serialised record for a journal.
pub(super) struct Line {
    stream: Stream,
    bytes: Vec<u8>,
}

impl Line {
    /// A line about an output.
    ///
    /// # Errors
    /// Fails if the record has no JSON form: an empty line would lose it silently.
    pub(super) fn output(output: &Output) -> Result<Self, RunError> {
        Self::new(Stream::Outputs, output)
    }

    /// A line about what an observer saw.
    ///
    /// # Errors
    /// Fails when [`Line::output`] fails.
    pub(super) fn evidence(evidence: &Evidence) -> Result<Self, RunError> {
        Self::new(Stream::Evidence, evidence)
    }

    fn new(stream: Stream, record: &impl Serialize) -> Result<Self, RunError> {
        let bytes = serde_json::to_vec(record).map_err(|error| {
            RunError::Invalid(format!(
                "a record for {}.jsonl cannot be written: {error}",
                stream.stem()
            ))
        })?;
        Ok(Self { stream, bytes })
    }
}

/// The journals of one execution.
pub(super) struct Journals {
    /// The journal of the outputs.
    pub outputs: Journal,
    /// The journal of the evidence.
    pub evidence: Journal,
}

impl Journals {
    /// Adds lines of other journals, which count for this execution.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub(super) fn adopt(&mut self, lines: &[(Stream, Vec<u8>)]) -> Result<(), RunError> {
        for (stream, line) in lines {
            match stream {
                Stream::Outputs => self.outputs.append(line)?,
                Stream::Evidence => self.evidence.append(line)?,
            }
        }
        self.outputs.flush()?;
        self.evidence.flush()
    }

    /// Makes these the journals that were written last. A merge prefers them.
    pub(super) fn touch(&self) {
        self.outputs.touch();
        self.evidence.touch();
    }

    /// Appends the lines that arrive, and hands them to the kernel whenever no line waits.
    pub(super) fn write(mut self, lines: &Receiver<Line>, shared: &Shared) {
        let result = (|| {
            while let Ok(line) = lines.recv() {
                self.append(&line)?;
                while let Ok(line) = lines.try_recv() {
                    self.append(&line)?;
                }
                self.outputs.flush()?;
                self.evidence.flush()?;
            }
            self.outputs.sync()?;
            self.evidence.sync()
        })();
        if let Err(error) = result {
            shared.fail(error);
            // Takes the lines that still come, so that no worker blocks on a full channel.
            lines.iter().for_each(drop);
        }
    }

    fn append(&mut self, line: &Line) -> Result<(), RunError> {
        match line.stream {
            Stream::Outputs => self.outputs.append(&line.bytes),
            Stream::Evidence => self.evidence.append(&line.bytes),
        }
    }
}
