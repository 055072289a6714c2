//! The layout of ImgEdit's `basic_bench.py`.

use super::folder_layout::FolderLayout;

/// One picture for each key.
pub(super) struct ImgEdit;

impl FolderLayout for ImgEdit {
    fn name(&self) -> &'static str {
        "imgedit"
    }

    fn about(&self) -> &'static str {
        "`{key}.png` (ImgEdit's `basic_bench.py`)."
    }
}
