//! What the diffusion pipelines share: stages, the chain that runs them within a memory budget, text encoders,
//! denoising and decoding.

mod chain;
mod decode;
mod denoise;
mod field;
mod flux_parts;
mod networks;
mod picture;
mod plan;
mod scratch;
mod size;
mod stage;
mod text;

pub use chain::Chain;
pub use field::{Field, FluxField, Velocity};
pub use flux_parts::{below_flux, decode_part, text_parts};
pub use networks::{Network, fatal, running};
pub use picture::{PictureSettings, picture_stages};
pub use plan::plan_lines;
pub use scratch::{Key, Named, Scratch};
pub use size::{Canvas, Size};
pub use stage::{Made, Stage, Step};
pub use text::Text;

/// The language model's states with reference features, [1, L, J].
pub const PROMPT: &str = "prompt_embeds";
/// T5's states, [1, T, J].
pub const T5: &str = "t5_embeds";
/// CLIP's pooled vector, [1, Q].
pub const POOLED: &str = "pooled_prompt_embeds";
/// As [`T5`] and [`POOLED`], of the empty text that guidance turns away from.
pub const NEGATIVE_T5: &str = "negative_t5_embeds";
pub const NEGATIVE_POOLED: &str = "negative_pooled_prompt_embeds";
