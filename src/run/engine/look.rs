//! An output on its way to the observers.

use crate::observe::ObserveError;
use crate::record::{Item, Output, notes};
use crate::run::asked::Asked;
use crate::run::chain::{Inputs, Slot};
use crate::run::folder::RunFolder;
use crate::run::output::OUTPUT_PICTURE;

/// An output on its way to the observers.
pub(super) struct Look {
    /// Which output.
    pub slot: Slot,
    /// Its record.
    pub output: Output,
    /// The output's picture. `None` until it is read back, and where the output is not a picture.
    pub pixels: Option<image::RgbImage>,
    /// The item with the picture that it starts from, where that is the output of another item.
    item: Option<Item>,
    /// What decoding changed of the output's picture, where its record does not say so.
    pub notes: Vec<String>,
}

impl Look {
    /// An output as it was made, with its picture where that is in memory.
    pub(super) fn new(slot: Slot, output: Output, pixels: Option<image::RgbImage>) -> Self {
        Self {
            slot,
            output,
            pixels,
            item: None,
            notes: Vec::new(),
        }
    }

    /// The item as the observers see it.
    pub(super) fn item<'a>(&'a self, asked: &Asked<'a>) -> &'a Item {
        self.item
            .as_ref()
            .unwrap_or(asked.item_and_repeat(self.slot).0)
    }

    /// Finds the picture that the output starts from, and reads the output back when it was made earlier.
    ///
    /// # Errors
    /// Fails if one of the two pictures cannot be read.
    pub(super) fn load(
        &mut self,
        folder: &RunFolder,
        asked: &Asked<'_>,
        inputs: &Inputs,
    ) -> Result<(), ObserveError> {
        if asked.before(self.slot).is_some() {
            let item = asked.item(self.slot, inputs);
            let item = item.map_err(|why| ObserveError::new("input", why))?;
            self.item = Some(item.into_owned());
        }
        if let (None, Some(file)) = (&self.pixels, &self.output.file) {
            let decoded = crate::image::decode_file(&folder.root().join(file))
                .map_err(|error| ObserveError::new("image", error.to_string()))?;
            let known: Vec<&str> = notes(&self.output.extra).collect();
            let changes = decoded.changes.iter();
            let found = changes.map(|change| change.note(OUTPUT_PICTURE));
            self.notes = found
                .filter(|note| !known.contains(&note.as_str()))
                .collect();
            self.pixels = Some(decoded.rgb);
        }
        Ok(())
    }
}
