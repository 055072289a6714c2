//! X-Omni (Geng et al., "X-Omni: Reinforcement Learning Makes Discrete Autoregressive Image Generative Models
//! Great Again", arXiv 2507.22058): a SigLIP-VQ tokenizer, a Qwen2.5 that reads and writes image tokens, and
//! a diffusion decoder.
//!
//! The tokenizer's two networks are in torch pickles, the autoregressive model is in the checkpoint's
//! safetensors, and the decoder is below `diffusers/`. All tensors have their published names.

mod ar;
mod batch;
mod config;
mod decoder;
mod draw;
mod ibq;
mod image_flux;
#[cfg(test)]
mod tests;
mod vit;
mod vq;

pub use ar::XOmniAr;
pub use config::{DecoderConfig, EncoderConfig, Transform, VisionConfig, XOmniConfig};
pub use decoder::{Condition, Steady, XOmniDecoder};
pub use draw::Drawing;
pub use ibq::{Ibq, IbqLoss, Quantized};
pub use vit::Vit;
pub use vq::{VqDecoder, VqEncoder};
