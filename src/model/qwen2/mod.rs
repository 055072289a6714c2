//! The decoder layer of Qwen2 and Qwen2.5 (Yang et al., arXiv 2407.10671), which several models use.

mod angles;
mod decoder;
mod layer;
mod mlp;
mod past;

pub use angles::{Angles, frequencies};
pub use decoder::{Cache, Decoder};
pub use layer::{DecoderLayer, LayerShape};
pub use mlp::Mlp;
pub use past::Past;
