//! The settings of the `flux-kontext` generator.

use crate::generate::diffusion::Size;
use crate::generate::place::Precision;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A size by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamedOutput {
    /// 1024 × 1024 pixels, whatever the input image is: the default of diffusers.
    Square,
    /// The nearest of the network's seventeen sizes to the input image: the rule of its authors' program.
    Reference,
}

/// The size of the output: `"square"`, `"reference"`, or `[width, height]` in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Output {
    /// A size by name.
    Named(NamedOutput),
    /// Width and height in pixels.
    Pixels([u32; 2]),
}

impl Output {
    pub(super) fn size(self) -> Size {
        match self {
            Self::Named(NamedOutput::Square) => Size::Pixels([1024, 1024]),
            Self::Named(NamedOutput::Reference) => Size::Kontext,
            Self::Pixels(size) => Size::Pixels(size),
        }
    }
}

/// Settings of the `flux-kontext` generator. The defaults are those of the example in the model card of
/// FLUX.1-Kontext-dev.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KontextSettings {
    /// The folder as it is published, with `transformer`, `vae`, `text_encoder`, `text_encoder_2`,
    /// `tokenizer`, `tokenizer_2` and `scheduler`.
    pub checkpoint: PathBuf,
    /// Number of Euler steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// Scale of the distilled guidance.
    #[serde(default = "guidance")]
    pub guidance_scale: f64,
    /// Number of tokens for T5, to which the instruction is padded or cut.
    #[serde(default = "t5_length")]
    pub max_sequence_length: usize,
    /// The size of the output: `"square"`, `"reference"`, or `[width, height]` in pixels. Papers do not say
    /// which one they used.
    #[serde(default = "square")]
    pub output: Output,
    /// `[width, height]` in pixels, to which the input image is resized. Default: the nearest of the
    /// network's seventeen sizes.
    #[serde(default)]
    pub reference_size: Option<[u32; 2]>,
    /// Whether several input images are put side by side. Otherwise, items with several input images fail,
    /// since the network was trained with one.
    #[serde(default)]
    pub stitch: bool,
    /// `[width, height]` to which a finished picture is resized (bicubic). Default: no resizing.
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

fn steps() -> usize {
    28
}

fn guidance() -> f64 {
    2.5
}

fn t5_length() -> usize {
    512
}

fn square() -> Output {
    Output::Named(NamedOutput::Square)
}
