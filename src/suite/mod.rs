//! What is asked: the items of a suite, from the source that its definition names.

mod assets;
mod collect;
mod data_set;
mod error;
mod images;
mod items;
mod join;
mod listing;
mod map;
mod pictures;
mod source;
mod tables;

pub use crate::config::{SuiteFile, suite as load};
pub use assets::{AssetError, AssetSource};
pub use error::{Problem, SuiteError};
pub use items::{ItemSet, items};
