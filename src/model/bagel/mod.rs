//! BAGEL (Deng et al., "Emerging Properties in Unified Multimodal Pretraining", arXiv 2505.14683): one
//! decoder of Qwen2.5's shape that reads words and pictures, writes words, and draws pictures.
//!
//! Every weight of the decoder exists twice: latents of pictures take one set, and all other tokens the other
//! one, with one attention over both. A picture is seen by a SigLIP vision transformer ([`Eye`]), and as
//! latents of FLUX's autoencoder. A [`Context`] is what was read so far. All tensors of `ema.safetensors`
//! have their published names.

mod config;
mod context;
mod expert;
mod eye;
mod latents;
mod layer;
mod network;
mod sampler;
mod special;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub use config::{BagelConfig, LatentShape, LlmConfig};
pub use context::{Branch, Context, Mark};
pub use eye::Eye;
pub use latents::{latent_grid, pack, pack_all, unpack};
pub use network::Bagel;
pub use sampler::{Branches, Renorm, Sampler, SeenStep};
pub use special::SpecialTokens;
pub use table::{Grid, position_tables};
pub use write::{Decoding, Written};
