//! The autoencoder of Stable Diffusion, with the keys and the results of `AutoencoderKL` of diffusers.
//!
//! Rombach et al., arXiv 2112.10752. The decoder is `vae::AutoEncoderKL` of candle-transformers: it agrees
//! with diffusers for one picture, in both forms of the names, which the cases `sd_vae` and `sd_vae_xl` show
//! (`decoded`). A batch of two comes out wrong there, so pictures are decoded one after the other. It
//! builds the encoder as well, which takes 137 MB in f32 that decoding does not need. Its convolutions gather a
//! whole picture, which takes 9.7 GB in f32 at 1024 × 1024. The encoder is our own, since that of
//! candle-transformers gives no mean, only a sample with the device's random numbers.

use crate::model::adapter::var_builder;
use crate::model::flux_vae::{Encoder, VaeConfig};
use crate::model::nn::Conv2d;
use crate::model::{ModelError, Result, Weights};
use candle_core::Tensor;
use candle_transformers::models::stable_diffusion::vae::{AutoEncoderKL, AutoEncoderKLConfig};
use serde::Deserialize;

/// The fields of `vae/config.json` that the network needs. Missing fields have the values of diffusers, which
/// are those of SD 1.5.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct SdVaeConfig {
    /// Channels of each level, from the picture down.
    pub block_out_channels: Vec<usize>,
    /// Number of residual blocks of a level of the encoder.
    pub layers_per_block: usize,
    /// Number of channels of the latents.
    pub latent_channels: usize,
    /// Number of groups of the group norms.
    pub norm_num_groups: usize,
    /// Factor of the latents for the denoiser.
    pub scaling_factor: f64,
    /// Null means no shift.
    pub shift_factor: Option<f64>,
    /// Whether the encoder ends with a quantisation convolution.
    pub use_quant_conv: bool,
    /// Whether the decoder starts with a quantisation convolution.
    pub use_post_quant_conv: bool,
    /// Whether the network needs f32: in f16 its activations overflow. SDXL's file says so.
    pub force_upcast: bool,
    /// A mean and a deviation for each channel, which are not supported.
    latents_mean: Option<serde_json::Value>,
    /// The name of the network in diffusers.
    #[serde(rename = "_class_name")]
    class_name: Option<String>,
}

impl Default for SdVaeConfig {
    fn default() -> Self {
        Self {
            block_out_channels: vec![128, 256, 512, 512],
            layers_per_block: 2,
            latent_channels: 4,
            norm_num_groups: 32,
            scaling_factor: 0.18215,
            shift_factor: None,
            use_quant_conv: true,
            use_post_quant_conv: true,
            force_upcast: false,
            latents_mean: None,
            class_name: None,
        }
    }
}

impl SdVaeConfig {
    /// Number of pixels along the side of a latent cell.
    pub fn scale_factor(&self) -> usize {
        1 << self.block_out_channels.len().saturating_sub(1)
    }

    /// # Errors
    /// Fails if the network is of another kind.
    fn check(&self) -> Result<()> {
        let kind = self.class_name.as_deref().unwrap_or("AutoencoderKL");
        if kind != "AutoencoderKL" {
            return Err(ModelError::Input(format!(
                "vae/config.json: the network is `{kind}`, but only `AutoencoderKL` is supported"
            )));
        }
        if self.latents_mean.is_some() {
            return Err(ModelError::Input(
                "vae/config.json: `latents_mean` is set, and latents with a mean and a deviation for each channel are \
                 not supported"
                    .into(),
            ));
        }
        let groups = self.norm_num_groups;
        let odd = |&channels: &usize| {
            channels == 0 || channels.checked_rem(groups).is_none_or(|rest| rest != 0)
        };
        match self.block_out_channels.iter().copied().find(odd) {
            Some(channels) => Err(ModelError::Input(format!(
                "vae/config.json: `block_out_channels` has {channels}, which `norm_num_groups` = {groups} does not \
                 divide"
            ))),
            None if self.block_out_channels.is_empty() => Err(ModelError::Input(
                "vae/config.json: `block_out_channels` is empty".into(),
            )),
            None => Ok(()),
        }
    }

    fn shift(&self) -> f64 {
        self.shift_factor.unwrap_or(0.0)
    }

    /// The same network without its quantisation convolutions.
    fn plain(&self) -> VaeConfig {
        VaeConfig {
            block_out_channels: self.block_out_channels.clone(),
            layers_per_block: self.layers_per_block,
            stem_channels: None,
            latent_channels: self.latent_channels,
            norm_num_groups: self.norm_num_groups,
            in_channels: 3,
            out_channels: 3,
            scaling_factor: self.scaling_factor,
            shift_factor: self.shift_factor,
            mid_block_add_attention: true,
            use_quant_conv: false,
            use_post_quant_conv: false,
        }
    }
}

/// From latents to pixels.
#[derive(Debug)]
pub struct SdDecoder {
    network: AutoEncoderKL,
    scaling_factor: f64,
    shift_factor: f64,
}

impl SdDecoder {
    /// Loads the network from the weights of a VAE, with both halves.
    ///
    /// # Errors
    /// Fails if the network is of another kind, and when [`Weights::get`] fails.
    pub fn new(config: &SdVaeConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let own = AutoEncoderKLConfig {
            block_out_channels: config.block_out_channels.clone(),
            layers_per_block: config.layers_per_block,
            latent_channels: config.latent_channels,
            norm_num_groups: config.norm_num_groups,
            use_quant_conv: config.use_quant_conv,
            use_post_quant_conv: config.use_post_quant_conv,
        };
        Ok(Self {
            network: AutoEncoderKL::new(var_builder(weights), 3, 3, own)?,
            scaling_factor: config.scaling_factor,
            shift_factor: config.shift(),
        })
    }

    /// Scaled latents [B, c, h, w] → pixels [B, 3, f·h, f·w], about −1 to 1, not clamped.
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        let latents = ((latents / self.scaling_factor)? + self.shift_factor)?;
        let each = (0..latents.dim(0)?).map(|i| self.network.decode(&latents.narrow(0, i, 1)?));
        Ok(Tensor::cat(
            &each.collect::<candle_core::Result<Vec<_>>>()?,
            0,
        )?)
    }
}

/// From pixels to latents.
#[derive(Debug, Clone)]
pub struct SdEncoder {
    encoder: Encoder,
    quant_conv: Option<Conv2d>,
    latent_channels: usize,
}

impl SdEncoder {
    /// Loads the encoder from the weights of a VAE, without those of the decoder.
    ///
    /// # Errors
    /// Fails if the network is of another kind, and when [`Weights::get`] fails.
    pub fn new(config: &SdVaeConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        // The mean and the logarithm of the variance.
        let both = 2 * config.latent_channels;
        Ok(Self {
            encoder: Encoder::new(&config.plain(), weights)?,
            quant_conv: config
                .use_quant_conv
                .then(|| Conv2d::same(&weights.at("quant_conv"), (both, both), 1))
                .transpose()?,
            latent_channels: config.latent_channels,
        })
    }

    /// Pixels [B, 3, H, W] in −1 to 1 → the mean of the latents [B, c, H / f, W / f].
    ///
    /// # Errors
    /// Fails if the channels differ, or the sides are not multiples of f.
    pub fn mean(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut moments = self.encoder.moments(pixels)?;
        if let Some(conv) = &self.quant_conv {
            moments = conv.forward(&moments)?;
        }
        Ok(moments.narrow(1, 0, self.latent_channels)?.contiguous()?)
    }

    /// The latents in the scale of the denoiser: (mean − shift) · scale.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub fn scaled(&self, mean: &Tensor) -> Result<Tensor> {
        self.encoder.scaled(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::audit;

    #[test]
    fn the_released_network_has_248_tensors() {
        let config = SdVaeConfig::default();
        let both = audit(None, |weights| SdDecoder::new(&config, weights)).unwrap();
        assert_eq!(both.len(), 248);
        let size = |shape: &[usize]| shape.iter().product::<usize>();
        let total: usize = both.iter().map(|asked| size(&asked.shape)).sum();
        assert_eq!(total, 83_653_863);
        let encoder = audit(None, |weights| SdEncoder::new(&config, weights)).unwrap();
        for asked in encoder {
            assert!(both.contains(&asked), "{asked:?}");
        }
    }

    #[test]
    fn other_networks_are_refused() {
        for (json, part) in [
            (
                r#"{"_class_name": "AutoencoderKLQwenImage"}"#,
                "AutoencoderKLQwenImage",
            ),
            (r#"{"latents_mean": [0.0]}"#, "latents_mean"),
            (r#"{"norm_num_groups": 7}"#, "`norm_num_groups` = 7"),
        ] {
            let config: SdVaeConfig = serde_json::from_str(json).unwrap();
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
