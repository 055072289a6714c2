//! The order of text and pictures in one message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the question or the images come first in a chat message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageOrder {
    /// The text comes first.
    #[default]
    TextFirst,
    /// The images come first.
    ImagesFirst,
}

impl ImageOrder {
    /// The index of the text among this number of pictures.
    pub fn place_of_text(self, pictures: usize) -> usize {
        match self {
            Self::TextFirst => 0,
            Self::ImagesFirst => pictures,
        }
    }
}
