//! Neural networks in candle: one file or folder for each network, with its configuration, weights and
//! forward pass.
//!
//! A network is built from its checkpoint's own `config.json` through [`Weights`], so that a tiny random
//! checkpoint runs the same code as a released one. Tensors have the names that their authors publish.

mod adapter;
pub mod aesthetic;
pub mod bagel;
pub mod clip;
pub mod clip_flan_t5;
pub mod conversation;
mod count;
pub mod cuda_noise;
pub mod dinov2;
mod error;
pub mod flow_match;
pub mod flux;
pub mod flux_vae;
pub mod generation_config;
pub mod got_ocr2;
pub mod lpips;
pub mod mask2former;
pub mod mplug;
pub mod nn;
pub mod noise;
pub mod processor;
pub mod qwen2;
pub mod qwen2_5_vl;
pub mod qwen3_vl;
pub mod qwen_image;
pub mod qwen_vl;
pub mod radio;
pub mod sampling;
pub mod schedulers;
pub mod sd3;
pub mod siglip;
pub mod stable_diffusion;
pub mod t5;
pub mod tokenizer;
pub mod uniworld;
pub mod vit;
pub mod weights;
pub mod xomni;
pub mod z_image;

pub use error::{ModelError, Result};
pub use weights::Weights;

use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads a JSON configuration file of a checkpoint; keys that the type does not have are ignored.
///
/// # Errors
/// Fails if the file cannot be read or a field is missing or has another type. The message names file and
/// field.
pub fn read_config<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|error| ModelError::io(path, &error))?;
    serde_json::from_str(&text).map_err(|error| ModelError::config(path, error.to_string()))
}
