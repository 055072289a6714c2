//! Where networks run in this process: the device, the number format, the memory, and a folder for the
//! results of phases.

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
    /// Always `f32`.
    F32,
    /// Always `bf16`.
    Bf16,
    /// Always `f16`.
    F16,
}

impl Precision {
    /// The dtype on a device.
    pub fn on(self, device: &Device) -> DType {
        self.dtype(!device.is_cpu())
    }

    /// The dtype on a GPU or on the CPU.
    pub fn dtype(self, gpu: bool) -> DType {
        match (self, gpu) {
            (Self::F32, _) | (Self::Auto, false) => DType::F32,
            (Self::Bf16, _) | (Self::Auto, true) => DType::BF16,
            (Self::F16, _) => DType::F16,
        }
    }
}

/// What a generator gets from its surroundings.
#[derive(Debug, Clone)]
pub struct Place {
    /// The device of the networks.
    pub device: Device,
    /// The number of bytes of device memory that all weights together may take. `None` keeps every network in
    /// memory.
    pub vram_budget: Option<u64>,
    /// The folder for prompt embeddings and latents, by content hash. It is emptied when the outputs are
    /// made.
    pub scratch: PathBuf,
}
