//! The layout of OneIG-Bench's `text_score.py`.

use super::folder_layout::{FolderLayout, Search, Sheet};
use super::names::{expected_id, safe_name};
use crate::record::Item;
use std::path::PathBuf;

/// One picture for each prompt, with a grid of outputs in it.
pub(super) struct OneIg;

impl FolderLayout for OneIg {
    fn name(&self) -> &'static str {
        "oneig"
    }

    fn about(&self) -> &'static str {
        "`{prompt_id}.webp` (or any picture) with a grid, 2x2 by default; single tiles are \
         `{prompt_id}_{repeat}.png` (OneIG-Bench's `text_score.py`)."
    }

    fn item_name(&self, item: &Item) -> String {
        safe_name(&expected_id(item, "prompt_id"))
    }

    fn path(&self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        format!("{}_{repeat}.{extension}", self.item_name(item)).into()
    }

    fn search(&self, item: &Item, repeat: u32) -> Search {
        let name = self.item_name(item);
        Search::StemsOrStart {
            stems: vec![name.clone().into(), format!("{name}_{repeat}").into()],
            start: name,
        }
    }

    fn sheet(&self) -> Sheet {
        Sheet::Rectangles
    }
}
