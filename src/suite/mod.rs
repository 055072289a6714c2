//! What is asked: definitions of suites, items, prompt generators.

mod error;
pub mod geneval;
mod images;
mod items;
mod join;
mod map;
pub(crate) mod numpy_rng;
mod read;

pub use crate::config::{SuiteFile, suite as load};
pub use error::{Problem, SuiteError};
pub use geneval::{COLORS as GENEVAL_COLORS, official_object_name};
pub use items::{AssetSource, ItemSet, items};
