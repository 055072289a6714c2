//! What is asked: definitions of suites, items, prompt generators.

mod collect;
mod data_set;
mod error;
pub mod geneval;
mod images;
mod items;
mod join;
mod lists;
mod map;
mod mini;
mod pictures;
mod read;
mod source;
mod tables;

pub use crate::config::{SuiteFile, suite as load};
pub use error::{Problem, SuiteError};
pub use geneval::{COLORS as GENEVAL_COLORS, official_object_name};
pub use items::{AssetError, AssetSource, ItemSet, items};
