//! The description of a layout.

use super::names::{picture_name, safe_name};
use crate::record::Item;
use std::path::PathBuf;

/// How a benchmark names its pictures. Paths are relative to the folder of outputs.
pub trait FolderLayout: Sync {
    /// The name in definition files.
    fn name(&self) -> &'static str;

    /// How the files are named, and which official script names them so, in a sentence.
    fn about(&self) -> &'static str;

    /// The item's part of the path, safe as a file name.
    fn item_name(&self, item: &Item) -> String {
        safe_name(&item.item)
    }

    /// The path of one output that we write. Different outputs get different paths, all of them inside the
    /// folder. Unless a layout says otherwise, an item has one picture, and further ones get a suffix.
    fn path(&self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        let stem = picture_name(&self.item_name(item), repeat);
        format!("{stem}.{extension}").into()
    }

    /// Where to find one output that another program wrote.
    fn search(&self, item: &Item, repeat: u32) -> Search {
        Search::Stems(vec![picture_name(&self.item_name(item), repeat).into()])
    }

    /// How the outputs of an item share a picture in a folder of another program.
    fn sheet(&self) -> Sheet {
        Sheet::Single
    }

    /// Whether a picture of this name, without its extension, belongs to the layout but is not an output.
    fn is_companion(&self, _stem: &str) -> bool {
        false
    }

    /// The picture that the official script expects next to an item's picture: the path to which it is
    /// copied, and the path from which it is copied.
    fn source<'a>(&self, _item: &'a Item) -> Option<(PathBuf, &'a str)> {
        None
    }

    /// Further files that the official scripts expect next to an item's pictures: the path and the content of
    /// each.
    fn sidecars(&self, _item: &Item) -> Vec<(PathBuf, String)> {
        Vec::new()
    }
}

/// Where to look for the picture of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// The first of these paths that has a picture. They have no extension, and the documented one is first.
    Stems(Vec<PathBuf>),
    /// The same as [`Self::Stems`], and then the only picture of the folder whose name begins with `start`.
    StemsOrStart {
        /// The paths without extension.
        stems: Vec<PathBuf>,
        /// The start of the picture's name.
        start: String,
    },
    /// This folder, whose pictures have numbers as names. The output's repeat counts them in the order of
    /// these numbers.
    Numbered(PathBuf),
}

/// How the outputs of an item share a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Every output has a picture of its own.
    Single,
    /// Two by two squares, as in DPG-Bench.
    Squares,
    /// Columns and rows of equal rectangles, as in OneIG-Bench. A picture named `{name}_{repeat}` is one
    /// output.
    Rectangles,
}
