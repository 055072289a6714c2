//! How it is shown: tables, charts and one page with a gallery. Reads records, computes no score.
//!
//! | file | idea |
//! |---|---|
//! | [`table`] | rows (models × runs) and columns (overall and groups) with best and second |
//! | `rows` | the rows of runs |
//! | `judged` | the rows that other judges graded |
//! | `published` | what papers printed, below measured rows or as a table of its own |
//! | `remarks` | the notes below a table of runs, and the rows that they are about |
//! | `pairs` | a measured row beside the printed one of the same model |
//! | [`printed`] | the tables as grids and records, which every format of [`crate::table`] writes |
//! | [`exports`] | the results of a run in the forms of other programs, one file for each |
//! | [`chart`] | bars, radar, heat map and distribution, each as SVG and PNG |
//! | `files` | files that are whole or not there, and links between them |
//! | `folder` | the folder of a page: one writer, files that get their names together, no leftovers |
//! | `view` | one run as the report sees it |
//! | [`gallery`] | the cards' data: output, evidence to draw, grade and reason |
//! | `thumbs` | small pictures, which later reports use again |
//! | [`page`] | the HTML page |
//! | [`write()`] | all of it into one folder |
//! | `error` | why a report could not be written |

pub mod chart;
mod error;
pub mod exports;
pub(crate) mod files;
pub(crate) mod folder;
pub mod gallery;
mod judged;
pub mod page;
mod pairs;
pub mod printed;
mod published;
mod remarks;
mod rows;
mod score;
pub mod table;
pub(crate) mod thumbs;
mod view;
mod write;

pub use error::ReportError;
pub(crate) use files::write_file;
pub(crate) use page::inline;
pub use pairs::{Measured, Pair, Paired};
pub use table::{Table, TableInput, TableSettings, Unit};
pub use view::RunView;
pub use write::{ReportOptions, Written, write};
