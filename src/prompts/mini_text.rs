//! Signs with a word in the miniature world.

use super::description::{Make, PromptGeneratorDescription};
use super::mini::tags;
use crate::record::{Item, Object, Task};
use crate::world::split::Split;
use crate::world::words;
use serde_json::json;

/// One sign for each word.
pub(super) static SIGNS: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "mini-text",
    about: "80 signs with a short word.",
    make: Make::Items(signs),
    official: None,
};

/// One sign for each word.
fn signs() -> Vec<Item> {
    let words = words::WORDS.iter().enumerate();
    words
        .map(|(index, word)| sign_item(format!("{index:02}"), word, words::split(index)))
        .collect()
}

/// A sign with a word as an item; the `expect` has the word as text to be read.
pub fn sign_item(id: String, word: &str, split: Split) -> Item {
    let texts = json!({"texts": [word], "answers": [word], "language": "en"});
    let length = word.len().to_string();
    Item {
        item: id,
        task: Task::TextToImage,
        prompt: words::prompt(word),
        images: Vec::new(),
        expect: texts.as_object().cloned().unwrap_or_default(),
        tags: tags([("length", length.as_str()), ("split", split.name())]),
        extra: Object::new(),
    }
}
