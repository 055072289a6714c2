//! What is known of a layout.

use super::names::{safe_name, single};
use crate::record::Item;
use std::path::PathBuf;

/// How a benchmark names its pictures. Paths are relative to the folder of outputs.
pub trait FolderLayout: Sync {
    /// The name in definition files.
    fn name(&self) -> &'static str;

    /// How the files are named, and which official script does so, in a sentence.
    fn about(&self) -> &'static str;

    /// The item's part of the path, safe as a file name.
    fn item_name(&self, item: &Item) -> String {
        safe_name(&item.item)
    }

    /// The path of one output that we write. Different outputs get different paths, all of them inside the
    /// folder. Unless a layout says otherwise, an item has one picture, and further ones get a suffix.
    fn path(&self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        let stem = single(&self.item_name(item), repeat);
        format!("{stem}.{extension}").into()
    }

    /// Where one output of somebody else lies.
    fn search(&self, item: &Item, repeat: u32) -> Search {
        Search::Stems(vec![single(&self.item_name(item), repeat).into()])
    }

    /// How the outputs of an item share a picture in somebody else's folder.
    fn sheet(&self) -> Sheet {
        Sheet::Single
    }

    /// Whether a picture of this name, without its extension, belongs to the layout without being an output.
    fn is_companion(&self, _stem: &str) -> bool {
        false
    }

    /// The picture that the official script expects beside an item's: where it is put, and where it lies.
    fn source<'a>(&self, _item: &'a Item) -> Option<(PathBuf, &'a str)> {
        None
    }

    /// Further files that the official scripts expect beside an item's pictures: path and content.
    fn sidecars(&self, _item: &Item) -> Vec<(PathBuf, String)> {
        Vec::new()
    }
}

/// Where the picture of one output is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Under the first of these paths that has a picture. They have no extension; the documented one is
    /// first.
    Stems(Vec<PathBuf>),
    /// As [`Self::Stems`], and then as the only picture of the folder whose name begins with `start`.
    StemsOrStart {
        /// The paths without extension.
        stems: Vec<PathBuf>,
        /// What the name of the picture begins with.
        start: String,
    },
    /// In this folder, whose pictures have numbers as names: the output's repeat counts them in the order of
    /// these numbers.
    Numbered(PathBuf),
}

/// How the outputs of an item share a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Every output has a picture of its own.
    Single,
    /// Two by two squares, as DPG-Bench has them.
    Squares,
    /// Columns and rows of equal rectangles, as OneIG-Bench has them; a picture named `{name}_{repeat}` is
    /// one output.
    Rectangles,
}
