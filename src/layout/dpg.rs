//! The layout of ELLA's `compute_dpg_bench.py`.

use super::folder_layout::{FolderLayout, Search, Sheet};
use crate::record::Item;
use std::path::PathBuf;

/// One picture for each prompt, with four outputs in it.
pub(super) struct Dpg;

impl FolderLayout for Dpg {
    fn name(&self) -> &'static str {
        "dpg"
    }

    fn about(&self) -> &'static str {
        "`{stem}.png` with a 2x2 grid; single tiles are `{stem}_{repeat}.png` (ELLA's `compute_dpg_bench.py`)."
    }

    fn path(&self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        format!("{}_{repeat}.{extension}", self.item_name(item)).into()
    }

    fn search(&self, item: &Item, _repeat: u32) -> Search {
        Search::Stems(vec![self.item_name(item).into()])
    }

    fn sheet(&self) -> Sheet {
        Sheet::Squares
    }
}
