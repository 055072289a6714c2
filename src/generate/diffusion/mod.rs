//! What the diffusion pipelines share: stages, the chain that runs them within a memory budget, text encoders,
//! denoising and decoding.

mod chain;
mod decode;
mod denoise;
mod networks;
mod scratch;
mod stage;
mod text;

pub use chain::Chain;
pub use decode::Decode;
pub use denoise::{Canvas, Denoise, Sampling, Sizing};
pub use networks::{Network, fatal, running};
pub use scratch::{Key, Named, Scratch};
pub use stage::{Made, Stage, Step};
pub use text::{PooledText, T5Text, Text};

/// The language model's states with reference features, [1, L, J].
pub const PROMPT: &str = "prompt_embeds";
/// T5's states, [1, T, J].
pub const T5: &str = "t5_embeds";
/// CLIP's pooled vector, [1, Q].
pub const POOLED: &str = "pooled_prompt_embeds";
