//! The channel of words alone: what a model said of the same item's picture, drawn.

use super::Asked;
use crate::generate::error::GenerateError;
use crate::record::mini_words::things_in;
use crate::world::draw;
use crate::world::scene::Scene;
use crate::world::thing::Thing;
use image::RgbImage;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// What a model said, by item and repeat.
#[derive(Debug, Default)]
pub(super) struct Readings(HashMap<(String, u64), String>);

impl Readings {
    /// Reads the `outputs.jsonl` of a run folder. Of several records of an output, the last counts.
    ///
    /// # Errors
    /// Fails if there is no such file.
    pub(super) fn open(run: &Path) -> Result<Self, GenerateError> {
        let path = run.join("outputs.jsonl");
        let text = std::fs::read_to_string(&path).map_err(|error| {
            GenerateError::fatal(
                format!("{}: {error}", path.display()),
                "set `readings` to the folder of a run that read the same pictures, such as results/mini-noise-read/MODEL/seed0",
            )
        })?;
        let records = text.lines().filter_map(|line| {
            let record: Value = serde_json::from_str(line).ok()?;
            let item = record["item"].as_str()?.to_owned();
            let words = record["text"].as_str()?.to_owned();
            Some(((item, record["repeat"].as_u64()?), words))
        });
        Ok(Self(records.collect()))
    }

    /// The things that the words about an item name, drawn. Things that share a cell are drawn over each other.
    ///
    /// # Errors
    /// Fails if nothing was said about the item.
    pub(super) fn drawn(&self, asked: &Asked<'_>) -> Result<RgbImage, GenerateError> {
        let id = (asked.item().item.clone(), u64::from(asked.0.repeat));
        let words = self.0.get(&id).ok_or_else(|| {
            GenerateError::item(
                "readings",
                "the run of `readings` has no words for this item",
            )
        })?;
        let things = things_in(words).into_iter().filter_map(|thing| {
            let thing = json!(thing);
            serde_json::from_value::<Thing>(thing).ok()
        });
        Ok(draw::scene(&Scene {
            things: things.collect(),
        }))
    }
}
