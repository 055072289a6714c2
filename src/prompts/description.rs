//! What is known of a generator of prompts.

use crate::record::Item;

/// What is known of a generator of prompts.
pub struct PromptGeneratorDescription {
    /// The name in suites.
    pub name: &'static str,
    /// What it makes, in a sentence.
    pub about: &'static str,
    /// Makes the items; every call makes the same.
    pub make: Make,
    /// The file of prompts that the benchmark publishes, where the generator draws the same ones.
    pub official: Option<fn() -> String>,
}

/// How a generator makes its items.
pub enum Make {
    /// From nothing.
    Items(fn() -> Vec<Item>),
    /// With pictures that belong to them.
    ///
    /// # Errors
    /// Fails if a picture cannot be kept.
    ItemsWithPictures(fn(&Keep<'_>) -> Result<Vec<Item>, String>),
}

/// Keeps the bytes of a picture's file and gives the path that an item names it by.
pub type Keep<'a> = dyn Fn(&[u8]) -> Result<String, String> + 'a;
