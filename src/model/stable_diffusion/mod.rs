//! Stable Diffusion 1.5, 2 and XL: UNet, autoencoder, and one guided evaluation. The text encoders are
//! [`crate::model::clip`], and the steps are [`crate::model::schedulers`].
//!
//! Of candle-transformers, the decoder of the autoencoder is used. Not used are its UNet (see [`UNet`]), its
//! schedulers (see [`crate::model::schedulers`]), and `clip`: the activation of its bigG is the tanh
//! approximation of GELU, it has no projection, and its configuration has private fields, so that it cannot
//! be built from a checkpoint's file. The case `sd_clip_text` shows the difference.

mod guided;
mod safety;
mod unet;
mod vae;

pub use guided::{Guidance, Prompt, guided, size_numbers};
pub use safety::{SafetyChecker, SafetyConfig};
pub use unet::{Added, PerBlock, UNet, UNetConfig};
pub use vae::{SdDecoder, SdEncoder, SdVaeConfig};
