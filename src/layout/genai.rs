//! The layout of GenAI-Bench as UniWorld-V1 runs it.

use super::folder_layout::FolderLayout;
use super::names::{expected_id, padded};
use crate::record::Item;

/// One picture for each prompt, under a number of nine digits.
pub(super) struct GenAi;

impl FolderLayout for GenAi {
    fn name(&self) -> &'static str {
        "genai"
    }

    fn about(&self) -> &'static str {
        "`{id:09}.jpg` (GenAI-Bench as UniWorld-V1 runs it)."
    }

    fn item_name(&self, item: &Item) -> String {
        padded(&expected_id(item, "id"), 9)
    }
}
