//! What the diffusion pipelines share: text encoders, denoising and decoding.

mod decode;
mod denoise;
mod field;
mod names;
mod picture;
mod released;
mod settings;
mod size;
mod text;

pub use denoise::Denoiser;
pub use field::{Field, FluxField, Velocity};
pub use names::{NEGATIVE_POOLED, NEGATIVE_T5, POOLED, PROMPT, T5};
pub use picture::picture_phases;
pub use released::FLUX_1_DEV;
pub use settings::{PictureSettings, TextSettings};
pub use size::{Canvas, Size};
pub use text::text_phase;
