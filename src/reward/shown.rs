//! One output as observers are shown it.

use crate::record::{Item, Output};
use image::RgbImage;
use std::path::Path;

/// One output to look at, whoever owns its parts.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// What was asked.
    pub item: &'a Item,
    /// The folder that the item's relative pictures start from.
    pub base: &'a Path,
    /// What was answered.
    pub output: &'a Output,
    /// The decoded picture, upright. `None` if the output is text.
    pub image: Option<&'a RgbImage>,
    /// The picture's file, for observers that send it to others as it is.
    pub file: Option<&'a Path>,
}
