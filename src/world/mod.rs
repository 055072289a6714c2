//! The miniature world: pictures of 32 × 32 pixels with coloured shapes and letters on grey. Each thing is in
//! a cell of a 4 × 4 grid.
//!
//! | file | idea |
//! |---|---|
//! | [`thing`] | shapes, colours, letters and cells |
//! | [`scene`] | which things are where |
//! | [`draw`] | a scene as pixels |
//! | `glyphs` | the alphabet |
//! | [`caption`] | GenEval's six tasks as captions, and scenes that they are true of |
//! | [`edit`] | an instruction, the scene before it and the scene after it |
//! | [`overlap`] | things that hide each other in part |
//! | [`words`] | signs to be read |
//! | [`split`] | the combinations that training never sees |
//! | [`read`] | what a picture shows: the exact observer |
//!
//! Everything follows from a seed.

pub mod caption;
pub mod draw;
pub mod edit;
mod glyphs;
pub mod overlap;
pub mod random;
pub mod read;
pub mod scene;
pub mod split;
pub mod thing;
pub mod words;

/// Side of a picture, in pixels.
pub const SIDE: u32 = 32;
/// Side of a cell, in pixels.
pub const CELL: u32 = 8;
/// Side of a picture, in cells.
pub const GRID: usize = 4;
/// The colour of the background.
pub const GREY: [u8; 3] = [128, 128, 128];
