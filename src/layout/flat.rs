//! The layout of suites that have no official one.

use super::folder_layout::{FolderLayout, Search};
use crate::record::Item;
use std::path::PathBuf;

/// `{item}_{repeat}.png`.
pub(super) struct Flat;

impl FolderLayout for Flat {
    fn name(&self) -> &'static str {
        "flat"
    }

    fn about(&self) -> &'static str {
        "`{item}_{repeat}.png`."
    }

    fn path(&self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        format!("{}_{repeat}.{extension}", self.item_name(item)).into()
    }

    /// The id may name subfolders. The safe name is the one that we write ourselves.
    fn search(&self, item: &Item, repeat: u32) -> Search {
        let plain = [item.item.clone(), self.item_name(item)];
        let numbered = plain.clone().map(|stem| format!("{stem}_{repeat}"));
        let plain = plain.into_iter().filter(|_| repeat == 0);
        Search::Stems(plain.chain(numbered).map(PathBuf::from).collect())
    }
}
