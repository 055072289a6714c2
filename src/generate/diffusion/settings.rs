//! The settings of the phases that all FLUX pipelines share.

use super::size::Size;

/// The settings for the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PictureSettings {
    /// Number of Euler steps.
    pub num_inference_steps: usize,
    /// How strongly the denoiser follows its condition. The meaning of the number depends on the field.
    pub guidance_scale: f32,
    /// The size of the generated picture.
    pub size: Size,
    /// The area, in pixels, that a size from a named set of ratios should have.
    pub anchor_pixels: u64,
    /// `[width, height]` of the stored picture in pixels, if it is not that of the generated one.
    pub stored_size: Option<[u32; 2]>,
}

/// The settings for the text encoders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextSettings {
    /// Number of tokens for T5, to which the prompt is padded or cut. With `None`, T5 is not used, and CLIP
    /// sees the empty text.
    pub t5_length: Option<usize>,
    /// Whether the empty text is also encoded.
    pub negative: bool,
}
