//! The settings of the `stable-diffusion` generator.

use crate::generate::place::Precision;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The random numbers from which a picture starts.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseKind {
    /// `torch.randn` on a CPU generator.
    #[default]
    TorchCpu,
    /// `torch.randn` on a CUDA generator. It is computed on the CPU, so it needs no GPU.
    TorchCuda,
}

/// Settings of the `stable-diffusion` generator. The defaults are those of StableDiffusionPipeline in
/// diffusers.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StableDiffusionSettings {
    /// The folder as diffusers publishes it, with `model_index.json`, `unet`, `vae`, `text_encoder`,
    /// `tokenizer` and `scheduler`; SDXL also has `text_encoder_2` and `tokenizer_2`. The scheduler is that
    /// of `scheduler/scheduler_config.json`.
    pub checkpoint: PathBuf,
    /// The variant of the weights' files, such as `fp16` for `model.fp16.safetensors`. A part that has no
    /// file of this variant uses its plain one. Default: the plain files.
    #[serde(default)]
    pub variant: Option<String>,
    /// Number of steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// Scale of the guidance. Up to 1, there is no guidance, and an evaluation takes half the time.
    #[serde(default = "guidance")]
    pub guidance_scale: f64,
    /// How far the deviation of the guided prediction is drawn to that of the prediction with the prompt,
    /// from 0 to 1.
    #[serde(default)]
    pub guidance_rescale: f64,
    /// What the picture must not show. Default: none, which is the empty text for SD 1.5, and zeros in place
    /// of the states for SDXL.
    #[serde(default)]
    pub negative_prompt: Option<String>,
    /// `[width, height]` in pixels, multiples of 8.
    #[serde(default = "size")]
    pub size: [u32; 2],
    /// `[width, height]` to which a finished picture is resized (bicubic). Default: no resizing.
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// The random numbers from which a picture starts.
    #[serde(default)]
    pub noise: NoiseKind,
    /// The seed of every item. The pictures of an item are successive draws of one generator with this seed,
    /// as in GenEval's script, which sets 42 before each prompt. Default: a seed of its own for each output.
    #[serde(default)]
    pub prompt_seed: Option<u64>,
    /// Whether the safety checker of the checkpoint (`safety_checker`; SDXL has none) looks at each picture. A
    /// picture in which it finds something becomes black, and a note says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub safety_checker: bool,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

fn steps() -> usize {
    50
}

fn guidance() -> f64 {
    7.5
}

fn size() -> [u32; 2] {
    [512, 512]
}
