//! The layout of GenEval's `diffusers_generate.py`.

use super::folder_layout::{FolderLayout, Search};
use crate::python;
use crate::record::Item;
use serde_json::Value;
use std::path::PathBuf;

/// A folder for each prompt, with a metadata file and a folder of samples.
pub(super) struct Geneval;

impl FolderLayout for Geneval {
    fn name(&self) -> &'static str {
        "geneval"
    }

    fn about(&self) -> &'static str {
        "`NNNNN/samples/NNNNN.png` beside `NNNNN/metadata.jsonl`: prompt number, then picture number from 0 \
         (geneval's `diffusers_generate.py`)."
    }

    fn path(&self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        let samples = PathBuf::from(self.item_name(item)).join("samples");
        samples.join(format!("{repeat:05}.{extension}"))
    }

    fn search(&self, item: &Item, _repeat: u32) -> Search {
        Search::Numbered(PathBuf::from(self.item_name(item)).join("samples"))
    }

    fn is_companion(&self, stem: &str) -> bool {
        stem == "grid"
    }

    /// The line of `evaluation_metadata.jsonl`, as Python writes it.
    fn sidecars(&self, item: &Item) -> Vec<(PathBuf, String)> {
        let path = PathBuf::from(self.item_name(item)).join("metadata.jsonl");
        let metadata = Value::Object(item.expect.clone());
        vec![(path, python::json::dumps(&metadata))]
    }
}
