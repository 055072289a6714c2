//! Settings of the observer `geneval-detector`.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the observer `geneval-detector`. The defaults are GenEval's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GenevalDetectorSettings {
    /// Another detector: a folder with a Mask2Former of transformers (config.json and weights), or a file in
    /// mmdetection's layout for the built-in configuration (default: the checkpoint that GenEval names).
    pub detector: Option<PathBuf>,
    /// A folder with another CLIP for the names of colours (default: OpenAI's ViT-L/14).
    pub clip: Option<PathBuf>,
    /// The background of an object whose colour is named: a colour as `#rgb` or `#rrggbb`, or `original`.
    pub bgcolor: String,
    /// Whether the picture is cropped to the object's box before its colour is named.
    pub crop: bool,
}

impl Default for GenevalDetectorSettings {
    fn default() -> Self {
        Self {
            detector: None,
            clip: None,
            bgcolor: "#999".into(),
            crop: true,
        }
    }
}

/// The background of an object whose colour is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    Original,
    Colour([u8; 3]),
}

impl GenevalDetectorSettings {
    /// The background. `None` if the setting names none.
    pub fn background(&self) -> Option<Background> {
        if self.bgcolor == "original" {
            return Some(Background::Original);
        }
        let digits = self.bgcolor.strip_prefix('#')?;
        let value = |range: std::ops::Range<usize>| {
            let text = digits.get(range)?;
            u8::from_str_radix(text, 16).ok()
        };
        match digits.len() {
            3 => {
                let of = |i: usize| Some(value(i..i + 1)? * 17);
                Some(Background::Colour([of(0)?, of(1)?, of(2)?]))
            }
            6 => Some(Background::Colour([
                value(0..2)?,
                value(2..4)?,
                value(4..6)?,
            ])),
            _ => None,
        }
    }
}
