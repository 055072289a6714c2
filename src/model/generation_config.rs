//! `generation_config.json`: the decoding settings of the authors of a checkpoint.

use super::{Result, read_config};
use serde::Deserialize;
use std::path::Path;

/// The fields that are used. An absent file has none of them.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct GenerationConfig {
    #[serde(default)]
    eos_token_id: Option<Eos>,
    /// Number of best tokens from which one is drawn.
    #[serde(default)]
    pub top_k: Option<usize>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Eos {
    One(u32),
    Many(Vec<u32>),
}

impl GenerationConfig {
    /// From a checkpoint's folder.
    ///
    /// # Errors
    /// Fails if the file exists but is damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("generation_config.json");
        if path.is_file() {
            read_config(&path)
        } else {
            Ok(Self::default())
        }
    }

    /// The tokens that end an answer.
    pub fn eos(&self) -> Vec<u32> {
        match &self.eos_token_id {
            Some(Eos::One(id)) => vec![*id],
            Some(Eos::Many(ids)) => ids.clone(),
            None => Vec::new(),
        }
    }
}
