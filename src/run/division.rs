//! Into how many shards a run folder is divided.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::store::{read_json, write_json};
use serde::{Deserialize, Serialize};

/// `division.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Division {
    /// The number of shards.
    shards: usize,
}

impl RunFolder {
    /// The number of shards that was noted last. `None` if none was.
    pub fn noted_division(&self) -> Option<usize> {
        let division: Division = read_json(&self.division_file()).ok()?;
        Some(division.shards).filter(|count| *count > 0)
    }

    /// The number of shards: the one that was noted, or else that of the journals, where all agree.
    ///
    /// # Errors
    /// Fails if the folder cannot be listed.
    pub fn division(&self) -> Result<Option<usize>, RunError> {
        if let Some(count) = self.noted_division() {
            return Ok(Some(count));
        }
        let shards = self.shards(Stream::Outputs)?;
        let count = shards.first().map(|shard| shard.count());
        Ok(count.filter(|count| shards.iter().all(|shard| shard.count() == *count)))
    }

    /// Notes the number of shards.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub fn note_division(&self, shards: usize) -> Result<(), RunError> {
        if self.noted_division() == Some(shards) {
            return Ok(());
        }
        write_json(&self.division_file(), &Division { shards })
    }
}
