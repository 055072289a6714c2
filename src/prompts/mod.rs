//! Items that the program makes itself: one file describes one generator of prompts or a few that share their code.

pub mod geneval;
mod mini;
mod mini_captions;
mod mini_edit;
mod mini_text;

use crate::named::{Described, Named};
use crate::record::Item;

/// A generator of prompts, as a suite names it.
pub type PromptGenerator = Named<PromptGeneratorDescription>;

/// All generators of prompts.
static ALL: &[&PromptGeneratorDescription] = &[
    &geneval::GENEVAL,
    &mini_captions::GENEVAL,
    &mini_captions::COMPOSITION,
    &mini_edit::EDITS,
    &mini_text::SIGNS,
];

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
    /// When a picture cannot be kept.
    ItemsWithPictures(fn(&Keep<'_>) -> Result<Vec<Item>, String>),
}

/// Keeps the bytes of a picture's file and gives the path that an item names it by.
pub type Keep<'a> = dyn Fn(&[u8]) -> Result<String, String> + 'a;

impl Described for PromptGeneratorDescription {
    const KIND: &'static str = "PromptGenerator";
    const ABOUT: &'static str = "Items that the program makes itself.";

    fn all() -> &'static [&'static Self] {
        ALL
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_generator_of_prompts_is_described() {
        crate::named::check_list::<super::PromptGeneratorDescription>();
    }
}
