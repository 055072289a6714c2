//! The settings of the `uniworld` generator.

use crate::generate::diffusion::Size;
use crate::generate::place::Precision;
use crate::image::target_size::Ratios;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `uniworld` generator. The defaults are those of the authors' command line.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniWorldSettings {
    /// Folder with `uniworld/`, `siglip/` and `flux/` (with `vae`, `text_encoder`, `text_encoder_2`,
    /// `tokenizer`, `tokenizer_2`, `scheduler`), each as its authors publish it.
    pub checkpoint: PathBuf,
    /// Number of Euler steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// Scale of FLUX's distilled guidance.
    #[serde(default = "guidance")]
    pub guidance_scale: f64,
    /// Number of tokens for T5, to which the prompt is padded or cut.
    #[serde(default = "t5_length")]
    pub max_sequence_length: usize,
    /// Whether T5's states are part of the sequence and CLIP sees the prompt. Otherwise, CLIP sees the empty
    /// text.
    #[serde(default = "yes")]
    pub joint_with_t5: bool,
    /// Size of the generated picture: `"any_11ratio"`, which is the published ratio nearest to the input
    /// images with about `anchor_pixels`, or `[width, height]`.
    #[serde(default = "size")]
    pub size: Size,
    /// Area, in pixels, that a size from `any_11ratio` should have.
    #[serde(default = "anchor")]
    pub anchor_pixels: u64,
    /// `[width, height]` to which a finished picture is resized (bicubic), as in the benchmark's script.
    /// Default: no resizing.
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// Smallest area of an input image for the language model, in pixels. A smaller image is scaled up.
    #[serde(default = "vlm_pixels")]
    pub min_pixels: u64,
    /// Largest area of an input image for the language model, in pixels. A larger image is scaled down.
    #[serde(default = "vlm_pixels")]
    pub max_pixels: u64,
    /// Whether the language model sees the input images when a picture is made. False is an ablation.
    #[serde(default = "yes")]
    pub vlm_sees_images: bool,
    /// What decides between a picture and words: the item's task, or the checkpoint's task head.
    #[serde(default)]
    pub route: Route,
    /// Length of the longest answer in words, in tokens.
    #[serde(default = "new_tokens")]
    pub max_new_tokens: usize,
    /// The encoder of the reference images for FLUX.
    #[serde(default)]
    pub reference: Reference,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

/// What decides between a picture and words.
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
    /// The network that encodes the reference images.
    #[serde(default)]
    pub encoder: Encoder,
    /// Folder of the encoder. Default: `siglip/`, `dinov2/`, `radio/` or `flux/vae/` in the
    /// checkpoint.
    #[serde(default)]
    pub checkpoint: Option<PathBuf>,
    /// Weights of the projector after the encoder (`0.weight`, `0.bias`, `2.weight`, `2.bias`). Default: the
    /// checkpoint's `siglip_projector`, or `projector.safetensors` in the checkpoint for another encoder.
    #[serde(default)]
    pub projector: Option<PathBuf>,
    /// Side of the square, in pixels, to which a reference image is resized. Default: that of the encoder,
    /// with 448 for DINOv2 and 512 for RADIO and the VAE, which give as many tokens as SigLIP2 at 512.
    #[serde(default)]
    pub size: Option<u32>,
}

/// The network that encodes the reference images.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Encoder {
    #[default]
    Siglip,
    /// DINOv2 with or without registers, as its configuration says.
    Dinov2,
    /// DINOv2 with registers. A checkpoint without registers is refused.
    Dinov2Registers,
    /// RADIO or C-RADIO.
    Radio,
    /// The latents of FLUX's own VAE, each with its place. It is for checkpoints that were trained with it.
    Vae,
    /// Only the language model sees the images.
    None,
}

impl Encoder {
    /// The encoder's folder in a checkpoint. `None` for [`Self::None`].
    pub fn folder(self) -> Option<&'static str> {
        match self {
            Self::Siglip => Some("siglip"),
            Self::Dinov2 | Self::Dinov2Registers => Some("dinov2"),
            Self::Radio => Some("radio"),
            Self::Vae => Some("flux/vae"),
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
