//! Batches that are made once and kept, since a training sees them again and again.

use super::TrainError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Batches by number.
pub(super) struct Blocks<T> {
    count: u64,
    made: Mutex<HashMap<u64, Arc<T>>>,
}

impl<T> Blocks<T> {
    /// So many batches, which steps use in turn.
    pub(super) fn new(count: u64) -> Self {
        Self {
            count: count.max(1),
            made: Mutex::default(),
        }
    }

    /// The batch of a step, from 1. `make` makes it from its number when it is new.
    ///
    /// # Errors
    /// Fails when `make` fails.
    pub(super) fn get(
        &self,
        step: u64,
        make: impl FnOnce(u64) -> Result<T, TrainError>,
    ) -> Result<Arc<T>, TrainError> {
        let number = step.saturating_sub(1) % self.count;
        let known = |made: &HashMap<u64, Arc<T>>| made.get(&number).cloned();
        if let Some(block) = known(&self.lock()) {
            return Ok(block);
        }
        let block = Arc::new(make(number)?);
        self.lock().insert(number, block.clone());
        Ok(block)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<T>>> {
        self.made.lock().unwrap_or_else(|lock| lock.into_inner())
    }
}
