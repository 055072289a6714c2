//! The layout of X-Omni's `textbench`.

use super::folder_layout::{FolderLayout, Search};
use super::names::{expected_id, padded};
use crate::record::Item;
use std::path::PathBuf;

/// Four pictures for each prompt, counted from 1.
pub(super) struct LongText;

impl FolderLayout for LongText {
    fn name(&self) -> &'static str {
        "longtext"
    }

    fn about(&self) -> &'static str {
        "`{prompt_id:04}_{k}.png`, k from 1 (X-Omni's `textbench`)."
    }

    fn item_name(&self, item: &Item) -> String {
        padded(&expected_id(item, "prompt_id"), 4)
    }

    fn path(&self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        format!("{}_{}.{extension}", self.item_name(item), repeat + 1).into()
    }

    fn search(&self, item: &Item, repeat: u32) -> Search {
        let stem = format!("{}_{}", self.item_name(item), repeat + 1);
        Search::Stems(vec![stem.into()])
    }
}
