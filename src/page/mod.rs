//! Pages of text with drawn things, of which everything is known: every line with its place, and every thing.
//!
//! The same page gives the same pixels on every machine, since the font is part of the program. Chinese needs a
//! font of the system.

mod chinese;
mod things;
mod typesetter;

pub use chinese::{NoChineseFont, as_regular, cjk_in_file, system_cjk};
pub use things::{Kind, Thing};
pub use typesetter::{Drawn, Typesetter};

use serde::{Deserialize, Serialize};

/// A rectangle in pixels: left, top, right and bottom, of which the last two are beyond it.
pub type Area = [i32; 4];

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Its width and its height, in pixels.
    pub side: u32,
    /// The colour of the ground.
    pub paper: [u8; 3],
    /// The largest deviation of the ground from its colour, in 8-bit values. 0 is flat.
    pub texture: u8,
    /// The number that the texture follows from.
    pub seed: u64,
    /// Coloured plates below the text.
    pub plates: Vec<Plate>,
    /// The things.
    pub things: Vec<Thing>,
    /// The lines of text.
    pub lines: Vec<TextLine>,
}

/// A coloured rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plate {
    /// Where it is.
    pub area: Area,
    /// Its colour.
    pub color: [u8; 3],
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextLine {
    /// What it says.
    pub text: String,
    /// The font size, in pixels.
    pub size: u32,
    /// The left end of the line.
    pub x: i32,
    /// The top of the line, which is above its letters.
    pub y: i32,
    /// The colour of the letters.
    pub color: [u8; 3],
}
