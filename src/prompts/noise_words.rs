//! Pages with one word each, which are shown with noise: to be restored, and to be read.

use super::description::{Keep, Make, PromptGeneratorDescription};
use super::drift_pages::english_words;
use super::mini::{SEED, tags};
use crate::image::encode_png;
use crate::page::{Page, TextLine, Typesetter};
use crate::record::{Item, Object, Task};
use crate::world::random::Random;
use serde_json::json;

/// Width and height of a page, in pixels.
const SIDE: u32 = 256;
/// Font sizes, in pixels.
const SIZES: [(u32, &str); 2] = [(28, "small"), (44, "large")];
/// The stream of random numbers of these pages.
const STREAM: u64 = 2_000;

/// Pages that are to be cleaned.
pub(super) static RESTORE: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "noise-words-restore",
    about: "40 pages with an English word each, to be cleaned of noise.",
    make: Make::ItemsWithPictures(|keep| {
        let prompt =
            "Remove all the noise from this picture. Change nothing else, and keep the size.";
        pages(keep, Task::Edit, prompt)
    }),
    official: None,
};

/// Pages that are to be read.
pub(super) static READ: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "noise-words-read",
    about: "The same 40 pages, whose word is to be read.",
    make: Make::ItemsWithPictures(|keep| {
        let prompt = "Which word is written in this picture? Answer with the word alone.";
        pages(keep, Task::Understand, prompt)
    }),
    official: None,
};

/// One page for each word. `expect.label` is the word, and `expect.labels` has all of them.
///
/// # Errors
/// Fails if a picture cannot be kept.
fn pages(keep: &Keep<'_>, task: Task, prompt: &str) -> Result<Vec<Item>, String> {
    let mut typesetter = Typesetter::new();
    let mut random = Random::new(SEED, STREAM);
    let words = english_words();
    let mut items = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let (size, name) = SIZES[index % SIZES.len()];
        let page = page(word, size, &mut typesetter, &mut random);
        let picture = encode_png(&typesetter.draw(&page).picture);
        let mut expect = Object::new();
        expect.insert("label".into(), json!(word));
        expect.insert("labels".into(), json!(words));
        items.push(Item {
            item: format!("{index:02}-{word}"),
            task,
            prompt: prompt.to_owned(),
            images: vec![keep(&picture.map_err(|error| error.to_string())?)?],
            expect,
            tags: tags([("set", "words"), ("size", name)]),
            extra: Object::new(),
        });
    }
    Ok(items)
}

/// A page with a word somewhere.
fn page(word: &str, size: u32, typesetter: &mut Typesetter, random: &mut Random) -> Page {
    let free = |used: i32| (SIDE as i32 - used).max(1) as usize;
    let x = random.below(free(typesetter.width(word, size))) as i32;
    let y = random.below(free(Typesetter::line_height(size))) as i32;
    Page {
        side: SIDE,
        paper: [250, 248, 240],
        texture: 0,
        seed: 0,
        plates: Vec::new(),
        things: Vec::new(),
        lines: vec![TextLine {
            text: word.to_owned(),
            size,
            x,
            y,
            color: [25, 30, 60],
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_whole_on_its_page() {
        let mut typesetter = Typesetter::new();
        let mut random = Random::new(1, 1);
        for word in english_words() {
            let page = page(word, SIZES[1].0, &mut typesetter, &mut random);
            let [left, top, right, bottom] = typesetter.draw(&page).ink[0];
            let side = SIDE as i32;
            assert!(
                left >= 0 && top >= 0 && right <= side && bottom <= side,
                "{word}"
            );
            // Nothing is cut off: the word is as wide as anywhere else.
            let width = typesetter.width(word, SIZES[1].0);
            assert!((width - 12..=width).contains(&(right - left)), "{word}");
        }
    }
}
