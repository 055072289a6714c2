//! The parts that the diffusion pipelines share: text encoders, denoising and decoding.

mod decode;
mod denoise;
mod field;
mod names;
mod picture;
mod released;
mod settings;
mod size;
mod text;

pub(super) use denoise::Denoiser;
pub(super) use field::{Field, FluxField, Velocity, condition};
pub(super) use names::{NEGATIVE_POOLED, NEGATIVE_T5, POOLED, PROMPT, T5};
pub(super) use picture::picture_phases;
pub(super) use released::{FLUX_1_DEV, FLUX_1_KONTEXT_DEV, FLUX_1_SCHNELL};
pub(super) use settings::{PictureSettings, TextSettings};
pub(super) use size::{Canvas, Size};
pub(super) use text::text_phase;
