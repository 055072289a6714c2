//! All that a picture of the miniature world shows, in words: every thing with its colour, its shape and its
//! cell.

use super::samples::Content;
use crate::world::thing::Thing;

/// Names of rows and columns, from the top and from the left.
const PLACES: [&str; 4] = ["one", "two", "three", "four"];

/// Describes a picture: the things of a scene in reading order, a sign by its colour and its word.
pub(super) fn describe(content: &Content) -> String {
    match content {
        Content::Nothing => "a photo of nothing".into(),
        Content::Sign(word, color) => format!("a {color} sign that says {word}"),
        Content::Scene(scene) => {
            let mut things = scene.things.clone();
            things.sort_by_key(|thing| thing.cell);
            let things: Vec<String> = things.iter().map(named).collect();
            things.join(", ")
        }
    }
}

fn named(thing: &Thing) -> String {
    let place = |at: u8| PLACES.get(usize::from(at)).copied().unwrap_or("many");
    let (row, column) = (place(thing.cell.row), place(thing.cell.column));
    format!(
        "a {} {} row {row} column {column}",
        thing.color, thing.shape
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tokenizer::Tokenizer;
    use crate::train::vocabulary::{Kind, tokenizer};
    use crate::world::scene::Scene;
    use crate::world::thing::{Cell, Color, Shape};

    #[test]
    fn things_are_named_in_reading_order_and_each_word_is_one_token() {
        let thing = |shape, color, row, column| Thing {
            shape,
            color,
            cell: Cell { row, column },
        };
        let scene = Scene {
            things: vec![
                thing(Shape::Square, Color::Blue, 2, 3),
                thing(Shape::Triangle, Color::White, 0, 2),
                thing(Shape::Circle, Color::Red, 0, 1),
            ],
        };
        let words = describe(&Content::Scene(scene));
        assert_eq!(
            words,
            "a red circle row one column two, a white triangle row one column three, \
             a blue square row three column four"
        );
        let tokens = |words: &str| {
            let tokenizer = Tokenizer::from_json(&tokenizer(Kind::Clip)).unwrap();
            tokenizer.encode(words).unwrap().len()
        };
        assert_eq!(tokens(&words), 3 * 7 + 2);
        assert_eq!(tokens(&describe(&Content::Nothing)), 4);
        let sign = describe(&Content::Sign("TREE", Color::Green));
        assert_eq!(sign, "a green sign that says TREE");
        assert_eq!(tokens(&sign), 5 + 5);
    }
}
