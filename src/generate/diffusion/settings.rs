//! What settings say of the phases that all FLUX pipelines share.

use super::size::Size;

/// What the settings say of a picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PictureSettings {
    /// Euler steps.
    pub num_inference_steps: usize,
    /// How strongly the denoiser follows its condition; each field gives the number its own meaning.
    pub guidance_scale: f32,
    /// How large the picture is made.
    pub size: Size,
    /// Area in pixels that a named set of ratios aims at.
    pub anchor_pixels: u64,
    /// `[width, height]` in pixels of the stored picture, where it is not as generated.
    pub stored_size: Option<[u32; 2]>,
}

/// What the settings say of the text encoders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextSettings {
    /// Tokens of T5, padded or cut to this; none leaves T5 out, and CLIP sees the empty text.
    pub t5_length: Option<usize>,
    /// Whether the empty text is encoded too.
    pub negative: bool,
}
