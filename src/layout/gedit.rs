//! The layout of Step1X-Edit's GEdit-Bench.

use super::folder_layout::{FolderLayout, Search};
use super::names::{expected_id, expected_text, picture_name, safe_name};
use crate::record::Item;
use std::path::{Path, PathBuf};

/// One picture for each key, in folders of tasks and languages, next to the input that the judge sees.
pub struct Gedit;

impl Gedit {
    /// The path of the input picture that the judge sees next to an edited one.
    pub fn source_path(&self, item: &Item, repeat: u32) -> PathBuf {
        let name = format!("{}_SRCIMG.png", self.item_name(item));
        self.path(item, repeat, "png").with_file_name(name)
    }

    /// `{task}/{lang}/{key}` without extension.
    fn stem(&self, item: &Item, repeat: u32) -> PathBuf {
        let folder = |key: &str, default: &str| {
            let text = expected_text(item, key).or_else(|| item.tags.get(key).cloned());
            safe_name(text.as_deref().unwrap_or(default))
        };
        PathBuf::from(folder("edit_type", "unknown"))
            .join(folder("language", "en"))
            .join(picture_name(&self.item_name(item), repeat))
    }
}

impl FolderLayout for Gedit {
    fn name(&self) -> &'static str {
        "gedit"
    }

    fn about(&self) -> &'static str {
        "`fullset/{task}/{lang}/{key}.png` beside the judge's source `{key}_SRCIMG.png`, if that is known \
         (Step1X-Edit's GEdit-Bench)."
    }

    fn item_name(&self, item: &Item) -> String {
        safe_name(&expected_id(item, "key"))
    }

    fn path(&self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        let mut path = Path::new("fullset")
            .join(self.stem(item, repeat))
            .into_os_string();
        path.push(".");
        path.push(extension);
        path.into()
    }

    fn search(&self, item: &Item, repeat: u32) -> Search {
        let stem = self.stem(item, repeat);
        Search::Stems(vec![Path::new("fullset").join(&stem), stem])
    }

    fn is_companion(&self, stem: &str) -> bool {
        stem.ends_with("_SRCIMG")
    }

    fn source<'a>(&self, item: &'a Item) -> Option<(PathBuf, &'a str)> {
        let source = item.compared_with().first().copied()?;
        let known = item.extra.contains_key("compare_with");
        known.then(|| (self.source_path(item, 0), source))
    }
}
