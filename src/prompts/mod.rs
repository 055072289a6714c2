//! Items that the program makes itself: one file describes one generator of prompts or a few that share their
//! code.

mod description;
mod drift_pages;
mod geneval;
mod lessons;
mod mini;
mod mini_captions;
mod mini_drift;
mod mini_edit;
mod mini_maps;
mod mini_scenes;
mod mini_text;
mod noise;
mod noise_words;

pub use description::{Keep, Make, PromptGeneratorDescription};
pub use lessons::{DrawnPair, ProbeLesson};
pub use mini_captions::caption_item;
pub use mini_text::sign_item;
pub use noise::{NoiseLadder, OpenPicture};

use crate::named::{Described, Named};

/// A generator of prompts, as a suite names it.
pub type PromptGenerator = Named<PromptGeneratorDescription>;

/// All generators of prompts.
static ALL: &[&PromptGeneratorDescription] = &[
    &drift_pages::ENGLISH,
    &drift_pages::CHINESE,
    &geneval::GENEVAL,
    &mini_captions::GENEVAL,
    &mini_captions::COMPOSITION,
    &mini_edit::EDITS,
    &mini_drift::DRIFT,
    &mini_maps::MAPS,
    &mini_scenes::RESTORE,
    &mini_scenes::READ,
    &mini_text::SIGNS,
    &noise_words::RESTORE,
    &noise_words::READ,
];

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
