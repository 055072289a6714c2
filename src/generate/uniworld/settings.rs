//! The settings of the `uniworld` generator.

use crate::generate::diffusion::Size;
use crate::generate::place::Precision;
use crate::image::size::Ratios;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `uniworld` generator; defaults are the authors' command line's.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniWorldSettings {
    /// Folder that holds `uniworld/`, `siglip/` and `flux/` (with `vae`, `text_encoder`, `text_encoder_2`,
    /// `tokenizer`, `tokenizer_2`, `scheduler`), each as its authors publish it.
    pub checkpoint: PathBuf,
    /// Euler steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// FLUX's distilled guidance.
    #[serde(default = "guidance")]
    pub guidance_scale: f64,
    /// Tokens of T5, padded or cut to this.
    #[serde(default = "t5_length")]
    pub max_sequence_length: usize,
    /// Whether T5's states join the sequence and CLIP sees the prompt; otherwise CLIP sees the empty text.
    #[serde(default = "yes")]
    pub joint_with_t5: bool,
    /// `"any_11ratio"`, the published ratio nearest to the input images at `anchor_pixels`, or
    /// `[width, height]`.
    #[serde(default = "size")]
    pub size: Size,
    /// Area that `any_11ratio` aims at.
    #[serde(default = "anchor")]
    pub anchor_pixels: u64,
    /// `[width, height]` that a finished picture is resized to (bicubic), as the benchmark's script does.
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// Least area in pixels of an input image for the language model; a smaller one is scaled up.
    #[serde(default = "vlm_pixels")]
    pub min_pixels: u64,
    /// Largest area in pixels of an input image for the language model; a larger one is scaled down.
    #[serde(default = "vlm_pixels")]
    pub max_pixels: u64,
    /// Whether the language model sees input images where a picture is to be made; false is an ablation.
    #[serde(default = "yes")]
    pub vlm_sees_images: bool,
    /// Who decides between a picture and words: the item's task, or the checkpoint's task head.
    #[serde(default)]
    pub route: Route,
    /// Longest answer in words, in tokens.
    #[serde(default = "new_tokens")]
    pub max_new_tokens: usize,
    /// What looks at the reference images for FLUX.
    #[serde(default)]
    pub reference: Reference,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

/// Who decides between a picture and words.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    #[default]
    Task,
    TaskHead,
}

/// The reference encoder.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Which network looks at the reference images.
    #[serde(default)]
    pub encoder: Encoder,
    /// Folder of the encoder. Default: `siglip/`, `dinov2/` or `radio/` of the checkpoint.
    #[serde(default)]
    pub checkpoint: Option<PathBuf>,
    /// Weights of the projector behind it (`0.weight`, `0.bias`, `2.weight`, `2.bias`). Default: the
    /// checkpoint's `siglip_projector`, of another encoder `projector.safetensors` in the checkpoint.
    #[serde(default)]
    pub projector: Option<PathBuf>,
    /// Side in pixels that a reference image is squashed to. Default: the encoder's own; DINOv2 448 and RADIO
    /// 512, which give as many tokens as SigLIP2 at 512.
    #[serde(default)]
    pub size: Option<u32>,
}

/// Which network looks at the reference images.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Encoder {
    #[default]
    Siglip,
    /// DINOv2, with or without registers as its configuration says.
    Dinov2,
    /// DINOv2 with registers; a checkpoint without them is refused.
    Dinov2Registers,
    /// RADIO or C-RADIO.
    Radio,
    /// The language model alone sees the images.
    None,
}

impl Encoder {
    /// Its folder in a checkpoint that has it. `None` for [`Self::None`].
    pub fn folder(self) -> Option<&'static str> {
        match self {
            Self::Siglip => Some("siglip"),
            Self::Dinov2 | Self::Dinov2Registers => Some("dinov2"),
            Self::Radio => Some("radio"),
            Self::None => None,
        }
    }
}

fn steps() -> usize {
    28
}

fn guidance() -> f64 {
    3.5
}

fn t5_length() -> usize {
    256
}

fn yes() -> bool {
    true
}

fn size() -> Size {
    Size::Nearest(Ratios::Eleven)
}

fn anchor() -> u64 {
    1024 * 1024
}

fn vlm_pixels() -> u64 {
    448 * 448
}

fn new_tokens() -> usize {
    128
}
