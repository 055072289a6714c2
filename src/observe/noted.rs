//! Notes that observers make while they look at one output.

use crate::image::Change;
use std::sync::{Mutex, PoisonError};

/// Collects notes for the record beside the evidence. See [`crate::record::add_note`].
#[derive(Debug, Default)]
pub struct Noted(Mutex<Vec<String>>);

impl Noted {
    /// Notes what decoding changed in a picture. `picture` names the picture, such as "the item's input
    /// picture".
    pub fn note_changes(&self, changes: &[Change], picture: &str) {
        let notes = changes.iter().map(|change| change.note(picture));
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(notes);
    }

    /// The notes so far.
    pub fn into_notes(self) -> Vec<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
