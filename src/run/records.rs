//! The records of a run folder, or of files that others wrote, as grading reads them.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::journal::{Lines, read_all};
use crate::record::{Evidence, Item, Output};
use std::sync::Arc;

/// The records that grading reads.
#[derive(Debug)]
pub struct Records {
    /// The items, in the suite's order.
    pub items: Arc<Vec<Item>>,
    /// None for loose evidence without outputs.
    pub outputs: Option<Vec<Output>>,
    /// All evidence, in file order.
    pub evidence: Vec<Evidence>,
    /// Remarks on what was read.
    pub notes: Vec<String>,
}

impl Records {
    /// Reads a run folder. The last record of an output counts. `items` are those of the folder, if the
    /// caller has them already.
    ///
    /// # Errors
    /// Fails if a file is damaged.
    pub fn of_run(folder: &RunFolder, items: Option<Arc<Vec<Item>>>) -> Result<Self, RunError> {
        let items = items.map_or_else(|| read_all(&folder.items()).map(Arc::new), Ok)?;
        let outputs = Lines::read(&folder.stream(Stream::Outputs, None))?;
        let evidence = Lines::read(&folder.stream(Stream::Evidence, None))?;
        Ok(Self {
            items,
            outputs: Some(outputs.parse()?),
            evidence: evidence.parse()?,
            notes: [outputs.note, evidence.note]
                .into_iter()
                .flatten()
                .collect(),
        })
    }
}
