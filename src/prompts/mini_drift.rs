//! Edits of a shape beside a word of the miniature world. The word is not to be touched.

use super::description::{Keep, Make, PromptGeneratorDescription};
use super::mini::{SEED, tags};
use crate::image::encode_png;
use crate::record::{Item, Object, Task};
use crate::world::random::Random;
use crate::world::read;
use crate::world::split::{Split, seen_pair};
use crate::world::thing::{Cell, Color, Form, Shape};
use crate::world::{CELL, GRID, SIDE, draw, words};
use image::{Rgb, RgbImage};
use serde_json::json;

/// Items of each kind of edit.
const PER_KIND: usize = 24;
/// The stream of random numbers of these items.
const STREAM: u64 = 12;
/// The kinds of edits.
const KINDS: [&str; 3] = ["recolor", "replace", "remove"];

/// Edits beside a word.
pub(super) static DRIFT: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "mini-drift",
    about: "24 edits of a shape beside a word for each of three kinds, with the word's place.",
    make: Make::ItemsWithPictures(drift),
    official: None,
};

/// A shape in a cell.
#[derive(Debug, Clone, Copy)]
struct Thing {
    shape: Shape,
    color: Color,
    cell: Cell,
}

/// A word in a row, from a column on.
#[derive(Debug, Clone, Copy)]
struct Sign {
    word: &'static str,
    color: Color,
    cell: Cell,
}

/// The items.
///
/// # Errors
/// Fails if a picture cannot be kept.
fn drift(keep: &Keep<'_>) -> Result<Vec<Item>, String> {
    let mut random = Random::new(SEED, STREAM);
    let mut items = Vec::new();
    for kind in KINDS {
        for index in 0..PER_KIND {
            let (sign, thing) = sampled(&mut random);
            let (prompt, after) = edited(kind, thing, &mut random);
            let input = picture(sign, Some(thing));
            let mut expect = Object::new();
            expect.insert("edit_type".into(), kind.into());
            expect.insert("target".into(), kept(&picture(sign, after), keep)?.into());
            expect.insert("mask".into(), kept(&region(thing.cell), keep)?.into());
            expect.insert("lines".into(), lines(&input));
            items.push(Item {
                item: format!("{kind}-{index:02}"),
                task: Task::Edit,
                prompt,
                images: vec![kept(&input, keep)?],
                expect,
                tags: tags([
                    ("edit_type", kind),
                    ("length", sign.word.len().to_string().as_str()),
                ]),
                extra: Object::new(),
            });
        }
    }
    Ok(items)
}

fn kept(picture: &RgbImage, keep: &Keep<'_>) -> Result<String, String> {
    keep(&encode_png(picture).map_err(|error| error.to_string())?)
}

/// A word, and a shape in another row.
fn sampled(random: &mut Random) -> (Sign, Thing) {
    let word = random.pick(&words::WORDS);
    let row = random.below(GRID) as u8;
    let first = random.below(GRID - word.len() + 1) as u8;
    let mut free = Cell::whole_grid();
    free.retain(|cell| cell.row != row);
    let sign = Sign {
        word,
        color: random.pick(&Color::ALL),
        cell: Cell { row, column: first },
    };
    let thing = Thing {
        shape: random.pick(&Shape::ALL),
        color: random.pick(&Color::ALL),
        cell: random.pick(&free),
    };
    (sign, thing)
}

/// The instruction, in the words of the suite mini-edit, and what is there after the edit.
fn edited(kind: &str, thing: Thing, random: &mut Random) -> (String, Option<Thing>) {
    let Thing { shape, .. } = thing;
    match kind {
        "recolor" => {
            let others: Vec<Color> = Color::ALL
                .into_iter()
                .filter(|color| *color != thing.color)
                .collect();
            let color = random.pick(&others);
            let after = Thing { color, ..thing };
            (format!("recolor the {shape} to {color}"), Some(after))
        }
        "replace" => {
            let others: Vec<Shape> = Shape::ALL
                .into_iter()
                .filter(|other| *other != shape)
                .collect();
            let other = random.pick(&others);
            let after = Thing {
                shape: other,
                ..thing
            };
            (format!("replace the {shape} with a {other}"), Some(after))
        }
        _ => (format!("remove the {shape}"), None),
    }
}

fn picture(sign: Sign, thing: Option<Thing>) -> RgbImage {
    let mut picture = draw::blank();
    for (column, letter) in (sign.cell.column..).zip(sign.word.bytes()) {
        let cell = Cell {
            row: sign.cell.row,
            column,
        };
        draw::draw_form(
            &mut picture,
            Form::Letter(letter.wrapping_sub(b'A')),
            sign.color,
            cell,
        );
    }
    if let Some(Thing { shape, color, cell }) = thing {
        draw::draw_form(&mut picture, Form::Shape(shape), color, cell);
    }
    picture
}

/// The words of a picture with their places, as the exact observer reads them.
fn lines(picture: &RgbImage) -> serde_json::Value {
    let words = read::words(&read::things(picture)).into_iter();
    let lines = words.map(|word| {
        let [x1, y1, x2, y2] = word.bbox;
        json!({"text": word.text, "box": [x1, y1, x2 + 1, y2 + 1], "language": "en"})
    });
    lines.collect()
}

/// White in a cell.
fn region(cell: Cell) -> RgbImage {
    let [left, top] = cell.corner();
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let inside = (left..left + CELL).contains(&x) && (top..top + CELL).contains(&y);
        Rgb([if inside { u8::MAX } else { 0 }; 3])
    })
}

/// An edit of a shape beside a word for training: the instruction, the picture, and the picture after the edit.
/// It has only words and pairs of colour and shape that training may see.
pub(super) fn for_training(random: &mut Random) -> (String, RgbImage, RgbImage) {
    loop {
        let (sign, thing) = sampled(random);
        let (prompt, after) = edited(random.pick(&KINDS), thing, random);
        let place = words::WORDS.iter().position(|word| *word == sign.word);
        let known = place.is_some_and(|place| words::split(place) == Split::Seen);
        let mut shown = [Some(thing), after].into_iter().flatten();
        if known && shown.all(|thing| seen_pair(thing.color, thing.shape)) {
            return (prompt, picture(sign, Some(thing)), picture(sign, after));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_observer_reads_each_word_where_it_is() {
        let keep = |_: &[u8]| Ok("a.png".to_owned());
        let items = drift(&keep).unwrap();
        assert_eq!(items.len(), 3 * PER_KIND);
        for item in &items {
            let lines = item.expect["lines"].as_array().unwrap();
            assert_eq!(lines.len(), 1, "{}", item.item);
            let text = lines[0]["text"].as_str().unwrap();
            assert!(words::WORDS.contains(&text), "{}: {text}", item.item);
        }
    }
}
