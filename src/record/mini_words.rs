//! Descriptions of the miniature world in words, as its language models write them: `a red circle row one
//! column two, a white triangle row one column three`.

use serde::{Deserialize, Serialize};

/// The words for rows and columns.
const PLACES: [&str; 4] = ["one", "two", "three", "four"];
const COLORS: [&str; 6] = ["red", "green", "blue", "yellow", "purple", "white"];
const SHAPES: [&str; 3] = ["circle", "square", "triangle"];

/// A thing of the miniature world, as `expect.scene` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiniThing {
    /// The name of its shape.
    pub shape: String,
    /// The name of its colour.
    pub color: String,
    /// Its row, from 0 at the top.
    pub row: u64,
    /// Its column, from 0 at the left.
    pub column: u64,
}

/// The things that a text names with their places.
pub fn things_in(words: &str) -> Vec<MiniThing> {
    let words = words.to_lowercase();
    let words: Vec<&str> = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let place = |word: &str| {
        let place = PLACES.iter().position(|name| *name == word);
        place.map(|place| place as u64)
    };
    let things = words.windows(6).filter_map(|window| {
        let &[color, shape, "row", row, "column", column] = window else {
            return None;
        };
        let known = COLORS.contains(&color) && SHAPES.contains(&shape);
        let (row, column) = (place(row)?, place(column)?);
        known.then(|| MiniThing {
            shape: shape.to_owned(),
            color: color.to_owned(),
            row,
            column,
        })
    });
    things.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_read_with_their_places() {
        let thing = |color: &str, shape: &str, row, column| MiniThing {
            shape: shape.into(),
            color: color.into(),
            row,
            column,
        };
        let words = " a red circle row one column two, a white triangle row four column three";
        let expected = [
            thing("red", "circle", 0, 1),
            thing("white", "triangle", 3, 2),
        ];
        assert_eq!(things_in(words), expected);
        assert_eq!(things_in("a pink circle row one column two"), []);
        assert_eq!(things_in("a photo of nothing"), []);
    }
}
