//! What outputs and observations depend on, in a few characters: a record with another fingerprint is out of
//! date.

use super::asked::Asked;
use super::chain::{Inputs, Slot};
use super::error::RunError;
use super::seed::{fingerprint, item_fingerprint};
use crate::files::sha256_hex;
use crate::observe::Observer;
use crate::record::{Item, Output};
use rayon::prelude::*;
use std::path::Path;

/// Fingerprints that a good record must carry.
#[derive(Debug)]
pub(super) struct Fingerprints {
    items: Vec<[u8; 16]>,
    stage: String,
}

impl Fingerprints {
    /// `identity` is everything that shapes an output beside the item and the seed: the generator, its
    /// settings and the stored size.
    ///
    /// # Errors
    /// Fails if an item has no JSON form.
    pub(super) fn new(asked: &Asked<'_>, identity: &serde_json::Value) -> Result<Self, RunError> {
        let items = asked
            .items
            .par_iter()
            .map(|item| {
                let hashes: Vec<String> = item
                    .all_images()
                    .map(|path| file_hash(asked.base, path))
                    .collect();
                item_fingerprint(item, &hashes)
            })
            .collect::<serde_json::Result<_>>();
        Ok(Self {
            items: items.map_err(|error| RunError::Invalid(error.to_string()))?,
            stage: identity.to_string(),
        })
    }

    /// The fingerprint of one output. If it starts from another one, the hash of that picture is part of it.
    pub(super) fn output(&self, asked: &Asked<'_>, slot: Slot, inputs: &Inputs) -> String {
        let item = &self.items[slot / asked.repeats as usize];
        let seed = asked.seed(slot).to_le_bytes();
        let parts = [self.stage.as_bytes(), item, &seed];
        match asked.before(slot) {
            None => fingerprint(&parts),
            Some(before) => {
                let input = inputs.get(before).map(|input| input.sha256);
                fingerprint(&[&parts[..], &[input.unwrap_or_default().as_bytes()]].concat())
            }
        }
    }
}

fn file_hash(base: &Path, path: &str) -> String {
    std::fs::read(base.join(path)).map_or_else(|_| "absent".into(), |bytes| sha256_hex(&bytes))
}

/// The fingerprint of one observer's look at one output. What the item says counts as it was asked. Of the
/// picture that it started from only the content counts, since its path is that of the run folder.
pub(super) fn evidence_fingerprint(
    observer: &dyn Observer,
    (plain, item): (&Item, &Item),
    base: &Path,
    content: &str,
) -> String {
    let mut asked = match observer.asked(plain) {
        serde_json::Value::Null => String::new(),
        asked => asked.to_string(),
    };
    for file in observer.files(item) {
        asked.push_str(&file_hash(base, &file));
    }
    let identity = observer.identity().to_string();
    let always = [
        observer.name().as_bytes(),
        identity.as_bytes(),
        content.as_bytes(),
    ];
    if asked.is_empty() {
        fingerprint(&always)
    } else {
        fingerprint(&[&always[..], &[asked.as_bytes()]].concat())
    }
}

/// The hash of what an output shows: of the file, or of the text.
pub(super) fn content_hash(output: &Output) -> String {
    hash_of_content(output.sha256.as_deref(), output.text.as_deref())
}

/// The same hash, from the parts of a record.
pub(super) fn hash_of_content(sha256: Option<&str>, text: Option<&str>) -> String {
    sha256.map_or_else(
        || sha256_hex(text.unwrap_or_default().as_bytes()),
        str::to_owned,
    )
}
