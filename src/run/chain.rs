//! Edits of edits: items that start from the output of an earlier item, as in suites of several turns.

use crate::record::{Item, Output};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One output asked for, by its place: `item * repeats + repeat`.
pub(super) type Slot = usize;

/// Which items of a run start from which.
#[derive(Debug, Clone, Default)]
pub struct Chains {
    /// The links of the items, in their order. Empty if no item starts from another.
    links: Vec<Link>,
}

#[derive(Debug, Clone)]
struct Link {
    /// The number of the chain, from 0, in the order of the chains' first items.
    number: usize,
    /// How many items come before it in its chain.
    depth: usize,
    before: Option<usize>,
    after: Vec<usize>,
}

impl Chains {
    /// Follows every item's `input_from`. An item whose `input_from` names no earlier item begins a chain.
    pub fn of_items(items: &[Item]) -> Self {
        let mut links: Vec<Link> = Vec::new();
        if items.iter().all(|item| item.input_from().is_none()) {
            return Self { links };
        }
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(items.len());
        let mut chains = 0;
        for (place, item) in items.iter().enumerate() {
            let before = item.input_from().and_then(|id| places.get(id).copied());
            let (number, depth) = match before.and_then(|before| links.get_mut(before)) {
                Some(link) => {
                    link.after.push(place);
                    (link.number, link.depth + 1)
                }
                None => {
                    chains += 1;
                    (chains - 1, 0)
                }
            };
            links.push(Link {
                number,
                depth,
                before,
                after: Vec::new(),
            });
            places.insert(&item.item, place);
        }
        Self { links }
    }

    /// The number of an item's chain. An item that is alone is a chain, too.
    pub fn number(&self, place: usize) -> usize {
        self.links.get(place).map_or(place, |link| link.number)
    }

    /// How many items come before it in its chain.
    pub fn depth(&self, place: usize) -> usize {
        self.links.get(place).map_or(0, |link| link.depth)
    }

    /// The item whose output it starts from.
    pub fn before(&self, place: usize) -> Option<usize> {
        self.links.get(place)?.before
    }

    /// The items that start from its output.
    pub fn after(&self, place: usize) -> &[usize] {
        self.links.get(place).map_or(&[], |link| &link.after)
    }
}

/// A stored picture that another output starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it is, absolute.
    pub path: String,
    /// The checksum of the file, hexadecimal.
    pub sha256: String,
}

/// The outputs that others start from, by their slots: pictures, or why there is none.
#[derive(Debug, Default)]
pub struct Inputs(Mutex<HashMap<Slot, Result<Input, String>>>);

impl Inputs {
    /// Adds an output that is on the disk, or that failed.
    pub fn add_output(&self, slot: Slot, output: &Output, root: &Path) {
        let of = format!("the output of `{}`, which it starts from,", output.item);
        let input = match (&output.error, &output.file, &output.sha256) {
            (Some(failure), ..) => Err(format!("{of} failed: {}", failure.message)),
            (None, Some(file), Some(sha256)) => {
                let path = root.join(file);
                let path = std::path::absolute(&path).unwrap_or(path);
                Ok(Input {
                    path: path.to_string_lossy().into_owned(),
                    sha256: sha256.clone(),
                })
            }
            (None, ..) => Err(format!("{of} is not a picture")),
        };
        self.lock().insert(slot, input);
    }

    /// The output of a slot.
    ///
    /// # Errors
    /// Fails with the reason why there is no picture.
    pub fn get(&self, slot: Slot) -> Result<Input, String> {
        let known = self.lock().get(&slot).cloned();
        known.unwrap_or_else(|| Err("the output that it starts from does not exist".into()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Slot, Result<Input, String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The item with another picture in place of its first input image.
pub(super) fn starting_from(item: &Item, input: Input) -> Item {
    let mut item = item.clone();
    match item.images.first_mut() {
        Some(first) => *first = input.path,
        None => item.images.push(input.path),
    }
    item.extra.shift_remove("compare_with");
    item
}
