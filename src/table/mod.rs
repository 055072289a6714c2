//! The printed table: cells in a grid, the same numbers as records, and the formats that write both.
//!
//! | file | idea |
//! |---|---|
//! | [`grid`] | a table for eyes: heads, cells with ranks and marks, notes |
//! | [`marks`] | the marks after the name of a row |
//! | [`records`] | a table for programs: typed columns, unrounded |
//! | [`document`] | what a format writes: grids, records and a JSON value of the same numbers |
//! | [`format`](mod@format) | what is known of a format |
//! | `error` | why a table cannot be written in a format |
//! | [`formats`] | one file for each format, and the list of all formats |
//! | [`window`] | what standard output can show |

pub mod document;
mod error;
pub mod format;
pub mod formats;
pub mod grid;
pub mod marks;
pub mod records;
pub mod window;

pub use document::Document;
pub use error::FormatError;
pub use format::Format;
pub use formats::FORMATS;
pub use grid::{Align, Cell, Column, Grid, Rank, Row, Style};
pub use marks::Mark;
pub use records::Records;
pub use window::Window;
