//! The layout of WISE.

use super::folder_layout::FolderLayout;
use super::names::{expected_id, safe_name};
use crate::record::Item;

/// One picture for each prompt.
pub(super) struct Wise;

impl FolderLayout for Wise {
    fn name(&self) -> &'static str {
        "wise"
    }

    fn about(&self) -> &'static str {
        "`{prompt_id}.png` (WISE)."
    }

    fn item_name(&self, item: &Item) -> String {
        safe_name(&expected_id(item, "prompt_id"))
    }
}
