//! Where in-process networks run: device, number format, memory, and a folder for what one phase leaves to the next.

use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The number format of weights and activations.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// `bf16` on a GPU, `f32` on the CPU.
    #[default]
    Auto,
    F32,
    Bf16,
}

impl Precision {
    /// The dtype on a device.
    pub fn on(self, device: &Device) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
            Self::Auto if device.is_cpu() => DType::F32,
            Self::Auto => DType::BF16,
        }
    }
}

/// The surroundings of a generator.
#[derive(Debug, Clone)]
pub struct Place {
    pub device: Device,
    /// Bytes of device memory that weights may take together; none keeps every network resident.
    pub vram_budget: Option<u64>,
    /// Folder for prompt embeddings and latents, by content hash; emptied when the outputs are made.
    pub scratch: PathBuf,
}
