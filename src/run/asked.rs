//! The outputs that a run asks for.

use super::chain::{Chains, Inputs, Slot, starting_from};
use super::seed::derive_seed;
use super::shard::Shard;
use crate::record::Item;
use std::borrow::Cow;
use std::path::Path;

/// The outputs asked for.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// In the suite's order.
    pub items: &'a [Item],
    /// Folder that input images are relative to.
    pub base: &'a Path,
    /// Outputs for each item.
    pub repeats: u32,
    /// The seed that the seeds of all outputs derive from.
    pub seed: u64,
    /// The part of the items that this process makes. `None` if it makes all.
    pub shard: Option<Shard>,
    /// Which items start from the output of another.
    pub chains: Chains,
}

impl<'a> Asked<'a> {
    /// The item and repeat of a slot.
    pub fn item_and_repeat(&self, slot: Slot) -> (&'a Item, u32) {
        let repeats = self.repeats as usize;
        (
            &self.items[slot / repeats],
            u32::try_from(slot % repeats).unwrap_or(0),
        )
    }

    /// Seed of a slot.
    pub fn seed(&self, slot: Slot) -> u64 {
        let (item, repeat) = self.item_and_repeat(slot);
        derive_seed(self.seed, &item.item, repeat)
    }

    /// All slots of this process; a chain is in one shard.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        let repeats = self.repeats as usize;
        (0..self.items.len() * repeats).filter(move |slot| {
            self.shard
                .is_none_or(|shard| shard.holds(self.chains.number(slot / repeats)))
        })
    }

    /// The slot whose output this one starts from.
    pub fn before(&self, slot: Slot) -> Option<Slot> {
        let repeats = self.repeats as usize;
        let before = self.chains.before(slot / repeats)?;
        Some(before * repeats + slot % repeats)
    }

    /// The slots that start from this one's output.
    pub fn after(&self, slot: Slot) -> impl Iterator<Item = Slot> {
        let repeats = self.repeats as usize;
        let after = self.chains.after(slot / repeats).iter();
        after.map(move |place| place * repeats + slot % repeats)
    }

    /// The item of a slot with the picture that it starts from.
    ///
    /// # Errors
    /// Fails with the reason why there is no such picture.
    pub fn item(&self, slot: Slot, inputs: &Inputs) -> Result<Cow<'a, Item>, String> {
        let item = self.item_and_repeat(slot).0;
        match self.before(slot) {
            None => Ok(Cow::Borrowed(item)),
            Some(before) => Ok(Cow::Owned(starting_from(item, inputs.get(before)?))),
        }
    }
}
