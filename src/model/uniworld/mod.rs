//! UniWorld-V1 (arXiv 2506.03147): the parts that connect a frozen Qwen2.5-VL and a frozen reference encoder
//! to the text branch of a FLUX transformer. Follows `UnivaQwen2p5VLForConditionalGeneration` of the authors'
//! repository (keys of transformers 4.50).
//!
//! ```text
//! prompt + images ─► Qwen2.5-VL ─► all L final states ─► denoise_projector ─► [1, L, J] ┐
//! reference k ─► encoder ─► [N, D] ─► siglip_projector ─► [N, J] before the k-th <|vision_end|> ┴► encoder_hidden_states
//! ```

mod conditioner;
mod config;
mod projector;
mod splice;

pub use conditioner::Conditioner;
pub use config::{DenoiseTower, UniWorldConfig};
pub use projector::{Projector, TaskHead};
use splice::splice;
