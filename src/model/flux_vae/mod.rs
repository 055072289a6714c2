//! The autoencoder of FLUX.1, with the keys and the results of `AutoencoderKL` of diffusers.
//!
//! Rombach et al., arXiv 2112.10752, with 16 latent channels and without quantisation convolutions. Encoding
//! uses the mean, or a draw from the normal distribution around it.

pub mod bfl;
mod blocks;
mod decoder;
mod encoder;
mod tokens;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use tokens::{placed_tokens, placed_width};

use super::{ModelError, Result};
use candle_core::Tensor;
use serde::Deserialize;

/// The fields of `vae/config.json` that the network needs. Missing fields have the values of FLUX.1-dev.
#[derive(Debug, Clone, Deserialize)]
pub struct VaeConfig {
    /// Channels of each level, from the picture down.
    pub block_out_channels: Vec<usize>,
    /// Number of residual blocks of a level of the encoder.
    pub layers_per_block: usize,
    /// Number of channels after the first convolution of the encoder. `None` means those of the first level,
    /// as in diffusers.
    #[serde(default)]
    pub stem_channels: Option<usize>,
    /// Number of channels of the latents.
    pub latent_channels: usize,
    /// Number of groups of the group norms.
    #[serde(default = "groups")]
    pub norm_num_groups: usize,
    /// Number of channels of a picture for the encoder.
    #[serde(default = "three")]
    pub in_channels: usize,
    /// Number of channels of a picture from the decoder.
    #[serde(default = "three")]
    pub out_channels: usize,
    /// Factor of the latents for the denoiser.
    #[serde(default = "scaling")]
    pub scaling_factor: f64,
    /// Null means no shift.
    #[serde(default = "shift")]
    pub shift_factor: Option<f64>,
    /// Whether the middle block has an attention.
    #[serde(default = "yes")]
    pub mid_block_add_attention: bool,
    /// Whether the encoder ends with a quantisation convolution.
    #[serde(default)]
    pub use_quant_conv: bool,
    /// Whether the decoder starts with a quantisation convolution.
    #[serde(default)]
    pub use_post_quant_conv: bool,
}

fn groups() -> usize {
    32
}

fn three() -> usize {
    3
}

fn scaling() -> f64 {
    0.3611
}

fn shift() -> Option<f64> {
    Some(0.1159)
}

fn yes() -> bool {
    true
}

impl VaeConfig {
    /// The network of FLUX.1, whose sizes are constants in the code of its authors.
    pub fn flux() -> Self {
        Self {
            block_out_channels: vec![128, 256, 512, 512],
            layers_per_block: 2,
            stem_channels: None,
            latent_channels: 16,
            norm_num_groups: groups(),
            in_channels: three(),
            out_channels: three(),
            scaling_factor: scaling(),
            shift_factor: shift(),
            mid_block_add_attention: yes(),
            use_quant_conv: false,
            use_post_quant_conv: false,
        }
    }

    /// A draw from the distribution of the latents in the scale of the denoiser: (mean + deviation · noise −
    /// shift) · scale. `moments` [B, 2c, h, w] are those of [`Encoder::moments`], `noise` [B, c, h, w] is
    /// normal. Without noise it is the mean.
    ///
    /// # Errors
    /// Fails if the shapes do not fit.
    pub fn sample(&self, moments: &Tensor, noise: Option<&Tensor>) -> Result<Tensor> {
        let channels = self.latent_channels;
        let mut latents = moments.narrow(1, 0, channels)?;
        if let Some(noise) = noise {
            let deviation = (moments.narrow(1, channels, channels)? * 0.5)?.exp()?;
            latents = (latents + (deviation * noise)?)?;
        }
        Ok(((latents - self.shift())? * self.scaling_factor)?)
    }

    /// Number of pixels along the side of a latent cell.
    pub fn scale_factor(&self) -> usize {
        1 << self.block_out_channels.len().saturating_sub(1)
    }

    fn shift(&self) -> f64 {
        self.shift_factor.unwrap_or(0.0)
    }

    /// Channels of the lowest level.
    ///
    /// # Errors
    /// Fails if there is no level, if the groups of the norms do not divide the channels of a level, or if
    /// the network has convolutions that FLUX does not have.
    fn lowest(&self) -> Result<usize> {
        if self.use_quant_conv || self.use_post_quant_conv {
            return Err(ModelError::Input(
                "vae/config.json: `use_quant_conv` and `use_post_quant_conv` must be false, as in FLUX.1".into(),
            ));
        }
        let groups = self.norm_num_groups;
        let odd = |&channels: &usize| {
            channels == 0 || channels.checked_rem(groups).is_none_or(|rest| rest != 0)
        };
        if let Some(channels) = self.block_out_channels.iter().copied().find(odd) {
            return Err(ModelError::Input(format!(
                "vae/config.json: `block_out_channels` has {channels}, which `norm_num_groups` = {groups} does not divide"
            )));
        }
        self.block_out_channels.last().copied().ok_or_else(|| {
            ModelError::Input("vae/config.json: `block_out_channels` is empty".into())
        })
    }
}
