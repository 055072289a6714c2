//! The settings of the `bagel` generator.

use crate::generate::place::Precision;
use crate::model::bagel::{Renorm, Sampler};
use crate::record::Task;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `bagel` generator. The defaults are those of the authors' notebook, with pictures prepared
/// as in their evaluation scripts.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BagelSettings {
    /// The folder of BAGEL as it is published, with `llm_config.json`, `vit_config.json`, `ema.safetensors`,
    /// `ae.safetensors` and the tokenizer.
    pub checkpoint: PathBuf,
    /// Number of points in time. There is one step less.
    #[serde(default = "points")]
    pub num_timesteps: usize,
    /// More than 1 spends more of the steps on high noise.
    #[serde(default = "shift")]
    pub timestep_shift: f64,
    /// Scale of the guidance by the difference to the context without the text. Up to 1 there is no guidance
    /// at all, and none by the pictures either.
    #[serde(default = "text_scale")]
    pub cfg_text_scale: f64,
    /// Scale of the guidance by the difference to the context without pictures. Up to 1 there is none. Where
    /// there are no pictures, it strengthens the guidance by the text. Default: 1, and 2 for an edit.
    #[serde(default)]
    pub cfg_img_scale: Option<f64>,
    /// The times with guidance, from 0 for a picture to 1 for noise: above the first, up to the second.
    /// Default: `[0.4, 1]`, and `[0, 1]` for an edit.
    #[serde(default)]
    pub cfg_interval: Option<[f64; 2]>,
    /// How a guided velocity is brought back to the length of the plain one. Default: `"global"`, and
    /// `"text_channel"` for an edit.
    #[serde(default)]
    pub cfg_renorm_type: Option<Renorm>,
    /// The smallest factor by which a guided velocity is shortened. 1 leaves its length.
    #[serde(default)]
    pub cfg_renorm_min: f64,
    /// `[width, height]` in pixels of a picture from words. Each side is cut to whole tokens of 16 pixels.
    #[serde(default = "size")]
    pub size: [u32; 2],
    /// The input picture whose size an edit has, after it was prepared.
    #[serde(default)]
    pub edit_size: EditSize,
    /// `[width, height]` to which a finished picture is resized (bicubic). Default: no resizing.
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// Whether the model writes thoughts before a picture or an answer. Default: it does not.
    #[serde(default)]
    pub think: Option<Think>,
    /// Length of the longest answer in words, in tokens, with the token that opens it. With `think`, its own
    /// limit counts.
    #[serde(default = "answer_length")]
    pub max_length: usize,
    /// The longest side of an input picture for the autoencoder, in pixels.
    #[serde(default = "vae_max")]
    pub vae_max_side: u32,
    /// The shortest side of an input picture for the autoencoder, in pixels.
    #[serde(default = "vae_min")]
    pub vae_min_side: u32,
    /// How the latents of an input picture are taken from their distribution.
    #[serde(default)]
    pub vae_posterior: Posterior,
    /// The longest side of an input picture for the vision transformer, in pixels.
    #[serde(default = "vit_max")]
    pub vit_max_side: u32,
    /// The shortest side of an input picture for the vision transformer, in pixels: 378 in the evaluation
    /// scripts, 224 in the demo.
    #[serde(default = "vit_min")]
    pub vit_min_side: u32,
    /// The area of an input picture for the vision transformer, in pixels, above which it is shrunk.
    #[serde(default = "vit_pixels")]
    pub vit_max_pixels: u64,
    /// The picture that is resized for the vision transformer.
    #[serde(default)]
    pub vit_input: VitInput,
    /// Number of pictures of one size that are drawn together. Apart from rounding, a picture does not depend
    /// on it.
    #[serde(default = "batch_size")]
    pub batch_size: usize,
    /// The number format of the decoder's weights and products. Norms, latents, the vision transformer and
    /// the autoencoder are always in f32.
    #[serde(default)]
    pub precision: Precision,
}

/// Thoughts before a picture or an answer.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Think {
    /// The longest thoughts, in tokens, with the token that opens them. Before an answer, the thoughts are a
    /// part of it.
    #[serde(default = "answer_length")]
    pub max_length: usize,
    /// The scores of tokens are divided by it, and a token is drawn. Default: the most likely token is taken.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// The text with which a sequence begins that asks for thoughts. Default: the authors' own, which is read
    /// from `system_from`.
    #[serde(default)]
    pub system: Option<String>,
    /// The authors' `inferencer.py`, which has their two texts, one for pictures and one for answers.
    /// Default: `inferencer.py` in the checkpoint.
    #[serde(default)]
    pub system_from: Option<PathBuf>,
    /// Whether the context without pictures has the thoughts, as in the authors' evaluation of edits.
    #[serde(default)]
    pub thoughts_in_image_context: bool,
    /// Whether the context without the text of a picture from words begins with the text that asks for
    /// thoughts. In the authors' evaluation by WISE it is empty.
    #[serde(default = "yes")]
    pub system_in_text_context: bool,
}

/// The input picture whose size an edit has.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EditSize {
    /// As in the authors' inferencer.
    #[default]
    Last,
    /// As in the authors' evaluation scripts.
    First,
}

/// How the latents of an input picture are taken from their distribution.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Posterior {
    /// Drawn with the output's seed, as by the authors.
    #[default]
    Sample,
    /// The mean.
    Mean,
}

/// The picture that is resized for the vision transformer.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum VitInput {
    /// The input picture, as in the authors' evaluation scripts.
    #[default]
    Original,
    /// The picture that was resized for the autoencoder, as in the authors' inferencer.
    Resized,
}

impl BagelSettings {
    /// The settings of the drawing for a task.
    pub(super) fn sampler(&self, task: Task) -> Sampler {
        let (image, interval, renorm) = match task {
            Task::Edit => (2.0, [0.0, 1.0], Renorm::TextChannel),
            Task::TextToImage | Task::Understand => (1.0, [0.4, 1.0], Renorm::Global),
        };
        Sampler {
            num_timesteps: self.num_timesteps,
            timestep_shift: self.timestep_shift,
            cfg_text_scale: self.cfg_text_scale,
            cfg_img_scale: self.cfg_img_scale.unwrap_or(image),
            cfg_interval: self.cfg_interval.unwrap_or(interval),
            cfg_renorm_type: self.cfg_renorm_type.unwrap_or(renorm),
            cfg_renorm_min: self.cfg_renorm_min,
        }
    }
}

fn points() -> usize {
    50
}

fn shift() -> f64 {
    3.0
}

fn text_scale() -> f64 {
    4.0
}

fn size() -> [u32; 2] {
    [1024, 1024]
}

fn answer_length() -> usize {
    1000
}

fn vae_max() -> u32 {
    1024
}

fn vae_min() -> u32 {
    512
}

fn vit_max() -> u32 {
    980
}

fn vit_min() -> u32 {
    378
}

fn vit_pixels() -> u64 {
    14 * 14 * 9 * 1024
}

fn batch_size() -> usize {
    1
}

fn yes() -> bool {
    true
}
