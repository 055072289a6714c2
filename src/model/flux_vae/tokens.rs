//! Latents of reference pictures as tokens, for a denoiser whose text tokens have no positions.

use super::{Encoder, VaeConfig};
use crate::model::Result;
use crate::model::flux::latents;
use candle_core::Tensor;

/// Pixels [B, 3, H, W] in −1 to 1 → [B, N, 4c + N]: the packed latents in the scale of the denoiser, each
/// followed by N numbers, of which the token's own is 1 and the others are 0. Without these, nothing would say
/// where a token is.
///
/// # Errors
/// Fails if the sides do not divide into tokens, or if the device has no room.
pub fn placed_tokens(encoder: &Encoder, pixels: &Tensor) -> Result<Tensor> {
    let tokens = latents::pack(&encoder.scaled(&encoder.mean(pixels)?)?)?;
    let (batch, count, _) = tokens.dims3()?;
    let places = Tensor::eye(count, tokens.dtype(), tokens.device())?;
    let places = places.unsqueeze(0)?.repeat((batch, 1, 1))?;
    Ok(Tensor::cat(&[tokens, places], 2)?)
}

/// The width of these tokens, for pictures of `side` × `side` pixels.
pub fn placed_width(config: &VaeConfig, side: usize) -> usize {
    let across = side / (2 * config.scale_factor());
    4 * config.latent_channels + across * across
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_latents_and_its_place() {
        let config =
            r#"{"block_out_channels": [8, 8, 8], "layers_per_block": 1, "latent_channels": 4}"#;
        let config: VaeConfig = serde_json::from_str(config).unwrap();
        // Cells of 4 pixels, tokens of 2 x 2 cells: 16 tokens.
        assert_eq!(placed_width(&config, 32), 4 * 4 + 16);
    }
}
