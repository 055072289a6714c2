//! The autoencoder of Qwen-Image, with the keys and the results of `AutoencoderKLQwenImage` of diffusers, for
//! still images.
//!
//! It was made for videos: its kernels cover three frames, of which a still image is the last, after two
//! empty ones. So only the last slice of a kernel in time acts, and the rest is not kept. `time_conv` never
//! runs.

use crate::model::nn::{Activation, Conv2d, Linear, Mask, Padding, attention, double};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};
use serde::Deserialize;

/// The smallest length of a vector of channels.
const SHORTEST: f64 = 1e-12;

/// The fields of `vae/config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct QwenVaeConfig {
    /// Width of the level of the picture.
    pub base_dim: usize,
    /// The widths of all levels, as multiples of `base_dim`.
    pub dim_mult: Vec<usize>,
    /// Number of channels of the latents.
    pub z_dim: usize,
    /// Number of residual blocks of a level of the encoder.
    pub num_res_blocks: usize,
    /// Scales with an attention, of which there are none in published files.
    #[serde(default)]
    pub attn_scales: Vec<f64>,
    /// The mean of each channel of the latents.
    pub latents_mean: Vec<f64>,
    /// The deviation of each channel of the latents.
    pub latents_std: Vec<f64>,
}

impl QwenVaeConfig {
    /// Number of pixels along the side of a latent cell.
    pub fn scale_factor(&self) -> usize {
        1 << self.dim_mult.len().saturating_sub(1)
    }

    /// Widths of the levels, from the picture down.
    fn widths(&self) -> Vec<usize> {
        self.dim_mult.iter().map(|by| by * self.base_dim).collect()
    }

    fn check(&self) -> Result<()> {
        let wrong = |message: &str| {
            let message = format!("vae/config.json: {message}");
            Err(ModelError::Input(message))
        };
        if self.dim_mult.is_empty() || self.num_res_blocks == 0 {
            return wrong("`dim_mult` or `num_res_blocks` is empty");
        }
        if !self.attn_scales.is_empty() {
            return wrong("`attn_scales` is not empty, which is not supported");
        }
        if [&self.latents_mean, &self.latents_std]
            .iter()
            .any(|values| values.len() != self.z_dim)
        {
            return wrong("`latents_mean` and `latents_std` must have `z_dim` numbers");
        }
        Ok(())
    }

    /// A number for each channel, [1, c, 1, 1], like x.
    fn channels(&self, values: &[f64], x: &Tensor) -> Result<Tensor> {
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        let tensor = Tensor::from_vec(values, (1, self.z_dim, 1, 1), x.device())?;
        Ok(tensor.to_dtype(x.dtype())?)
    }
}

/// A causal convolution of one frame.
fn causal(weights: &Weights, (input, output): (usize, usize), kernel: usize) -> Result<Conv2d> {
    let stored = weights.get("weight", (output, input, kernel, kernel, kernel))?;
    let slice = stored.narrow(2, kernel - 1, 1)?.squeeze(2)?;
    // In an audit of names, all numbers are one zero, which must not be copied.
    let slice = if slice.stride().iter().all(|stride| *stride == 0) {
        slice
    } else {
        slice.contiguous()?
    };
    let side = kernel / 2;
    let padding = Padding {
        before: side,
        after: side,
    };
    Conv2d::from_parts(slice, weights.get("bias", output)?, 1, padding)
}

/// x over its length in the channels, times their root and a gain.
#[derive(Debug, Clone)]
struct ChannelNorm {
    /// [1, C, 1, 1]
    gamma: Tensor,
    channels: usize,
}

impl ChannelNorm {
    /// `axes` is the number of axes of length 1 that the stored gain has.
    fn new(weights: &Weights, channels: usize, axes: usize) -> Result<Self> {
        let mut shape = vec![1; axes + 1];
        shape[0] = channels;
        let gamma = weights.get("gamma", shape)?.reshape((1, channels, 1, 1))?;
        Ok(Self { gamma, channels })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let length = x.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(SHORTEST)?;
        let gain = (&self.gamma * (self.channels as f64).sqrt())?;
        x.broadcast_div(&length)?.broadcast_mul(&gain)
    }
}

#[derive(Debug, Clone)]
struct Residual {
    norm1: ChannelNorm,
    conv1: Conv2d,
    norm2: ChannelNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
}

impl Residual {
    fn new(weights: &Weights, input: usize, output: usize) -> Result<Self> {
        Ok(Self {
            norm1: ChannelNorm::new(&weights.at("norm1"), input, 3)?,
            conv1: causal(&weights.at("conv1"), (input, output), 3)?,
            norm2: ChannelNorm::new(&weights.at("norm2"), output, 3)?,
            conv2: causal(&weights.at("conv2"), (output, output), 3)?,
            conv_shortcut: (input != output)
                .then(|| causal(&weights.at("conv_shortcut"), (input, output), 1))
                .transpose()?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let hidden = Activation::Silu.apply(&self.norm1.forward(x)?)?;
        let hidden = self.conv1.forward(&hidden)?;
        let hidden = Activation::Silu.apply(&self.norm2.forward(&hidden)?)?;
        let hidden = self.conv2.forward(&hidden)?;
        match &self.conv_shortcut {
            Some(shortcut) => shortcut.forward(x)? + hidden,
            None => x + hidden,
        }
    }
}

/// One head of attention over all cells.
#[derive(Debug, Clone)]
struct Attention {
    norm: ChannelNorm,
    to_qkv: Linear,
    proj: Linear,
}

impl Attention {
    fn new(weights: &Weights, channels: usize) -> Result<Self> {
        // A 1 × 1 convolution is a matrix for every cell.
        let matrix = |name: &str, output: usize| -> Result<Linear> {
            let at = weights.at(name);
            let kernel = at.get("weight", (output, channels, 1, 1))?;
            let bias = at.get("bias", output)?;
            Ok(Linear::new(kernel.squeeze(3)?.squeeze(2)?, Some(bias)))
        };
        Ok(Self {
            norm: ChannelNorm::new(&weights.at("norm"), channels, 2)?,
            to_qkv: matrix("to_qkv", 3 * channels)?,
            proj: matrix("proj", channels)?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (_, channels, _, _) = x.dims4()?;
        let cells = self.norm.forward(x)?.flatten_from(2)?.transpose(1, 2)?;
        let qkv = self.to_qkv.forward(&cells.contiguous()?)?;
        let part = |i: usize| {
            let part = qkv.narrow(2, i * channels, channels)?.contiguous()?;
            part.unsqueeze(1)
        };
        let scale = 1.0 / (channels as f64).sqrt();
        let seen = attention(&part(0)?, &part(1)?, &part(2)?, scale, Mask::None)?;
        let seen = self.proj.forward(&seen.squeeze(1)?)?.transpose(1, 2)?;
        x + seen.contiguous()?.reshape(x.shape())?
    }
}

/// Residual, attention, residual.
#[derive(Debug, Clone)]
struct Middle {
    first: Residual,
    attention: Attention,
    second: Residual,
}

impl Middle {
    fn new(weights: &Weights, channels: usize) -> Result<Self> {
        Ok(Self {
            first: Residual::new(&weights.at("resnets.0"), channels, channels)?,
            attention: Attention::new(&weights.at("attentions.0"), channels)?,
            second: Residual::new(&weights.at("resnets.1"), channels, channels)?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let x = self.attention.forward(&self.first.forward(x)?)?;
        self.second.forward(&x)
    }
}

/// A step of the encoder.
#[derive(Debug, Clone)]
enum Down {
    Residual(Box<Residual>),
    Halve(Conv2d),
}

/// From pixels to latents.
#[derive(Debug, Clone)]
pub struct QwenVaeEncoder {
    conv_in: Conv2d,
    down_blocks: Vec<Down>,
    mid_block: Middle,
    norm_out: ChannelNorm,
    conv_out: Conv2d,
    quant_conv: Conv2d,
    config: QwenVaeConfig,
}

impl QwenVaeEncoder {
    /// Loads the encoder from the weights of a VAE, without those of the decoder.
    ///
    /// # Errors
    /// Fails if the configuration is of another kind, and when [`Weights::get`] fails.
    pub fn new(config: &QwenVaeConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let encoder = weights.at("encoder");
        let widths = config.widths();
        let lowest = widths.last().copied().unwrap_or(config.base_dim);
        let (mut blocks, mut width) = (Vec::new(), config.base_dim);
        let place = |number: usize| encoder.at("down_blocks").at(number);
        for (level, &output) in widths.iter().enumerate() {
            for _ in 0..config.num_res_blocks {
                let block = Residual::new(&place(blocks.len()), width, output)?;
                blocks.push(Down::Residual(Box::new(block)));
                width = output;
            }
            if level + 1 < widths.len() {
                let padding = Padding {
                    before: 0,
                    after: 1,
                };
                let at = place(blocks.len()).at("resample.1");
                let conv = Conv2d::new(&at, (width, width), 3, 2, padding)?;
                blocks.push(Down::Halve(conv));
            }
        }
        // The mean and the logarithm of the variance.
        let both = 2 * config.z_dim;
        Ok(Self {
            conv_in: causal(&encoder.at("conv_in"), (3, config.base_dim), 3)?,
            down_blocks: blocks,
            mid_block: Middle::new(&encoder.at("mid_block"), lowest)?,
            norm_out: ChannelNorm::new(&encoder.at("norm_out"), lowest, 3)?,
            conv_out: causal(&encoder.at("conv_out"), (lowest, both), 3)?,
            quant_conv: causal(&weights.at("quant_conv"), (both, both), 1)?,
            config: config.clone(),
        })
    }

    /// Pixels [1, 3, H, W] in −1 to 1 → latents in the scale of the transformer, [1, z, H / f, W / f].
    ///
    /// # Errors
    /// Fails if the sides are not multiples of f.
    pub fn encode(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut x = self.conv_in.forward(pixels)?;
        for block in &self.down_blocks {
            x = match block {
                Down::Residual(block) => block.forward(&x)?,
                Down::Halve(conv) => conv.forward(&x)?,
            };
        }
        let x = self.mid_block.forward(&x)?;
        let x = Activation::Silu.apply(&self.norm_out.forward(&x)?)?;
        let moments = self.quant_conv.forward(&self.conv_out.forward(&x)?)?;
        let mean = moments.narrow(1, 0, self.config.z_dim)?.contiguous()?;
        let centre = self.config.channels(&self.config.latents_mean, &mean)?;
        let spread = self.config.channels(&self.config.latents_std, &mean)?;
        Ok(mean.broadcast_sub(&centre)?.broadcast_div(&spread)?)
    }
}

/// A level of the decoder.
#[derive(Debug, Clone)]
struct Up {
    resnets: Vec<Residual>,
    resample: Option<Conv2d>,
}

/// From latents to pixels.
#[derive(Debug, Clone)]
pub struct QwenVaeDecoder {
    post_quant_conv: Conv2d,
    conv_in: Conv2d,
    mid_block: Middle,
    up_blocks: Vec<Up>,
    norm_out: ChannelNorm,
    conv_out: Conv2d,
    config: QwenVaeConfig,
}

impl QwenVaeDecoder {
    /// Loads the decoder from the weights of a VAE, without those of the encoder.
    ///
    /// # Errors
    /// Fails if the configuration is of another kind, and when [`Weights::get`] fails.
    pub fn new(config: &QwenVaeConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let decoder = weights.at("decoder");
        let mut widths = config.widths();
        widths.reverse();
        let lowest = widths.first().copied().unwrap_or(config.base_dim);
        let highest = widths.last().copied().unwrap_or(config.base_dim);
        let (mut blocks, mut width) = (Vec::new(), lowest);
        for (level, &output) in widths.iter().enumerate() {
            let at = decoder.at("up_blocks").at(level);
            let resnet = |number: usize| {
                let input = if number == 0 { width } else { output };
                Residual::new(&at.at("resnets").at(number), input, output)
            };
            let resnets = (0..=config.num_res_blocks).map(resnet);
            let resnets = resnets.collect::<Result<_>>()?;
            let doubles = level + 1 < widths.len();
            let conv = at.at("upsamplers.0.resample.1");
            let resample = doubles
                .then(|| Conv2d::same(&conv, (output, output / 2), 3))
                .transpose()?;
            blocks.push(Up { resnets, resample });
            // A change of size halves the width.
            width = if doubles { output / 2 } else { output };
        }
        let latent = config.z_dim;
        Ok(Self {
            post_quant_conv: causal(&weights.at("post_quant_conv"), (latent, latent), 1)?,
            conv_in: causal(&decoder.at("conv_in"), (latent, lowest), 3)?,
            mid_block: Middle::new(&decoder.at("mid_block"), lowest)?,
            up_blocks: blocks,
            norm_out: ChannelNorm::new(&decoder.at("norm_out"), highest, 3)?,
            conv_out: causal(&decoder.at("conv_out"), (highest, 3), 3)?,
            config: config.clone(),
        })
    }

    /// Latents in the scale of the transformer [1, z, h, w] → pixels [1, 3, f·h, f·w], clamped to −1 to 1.
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        let centre = self.config.channels(&self.config.latents_mean, latents)?;
        let spread = self.config.channels(&self.config.latents_std, latents)?;
        let x = latents.broadcast_mul(&spread)?.broadcast_add(&centre)?;
        let x = self.conv_in.forward(&self.post_quant_conv.forward(&x)?)?;
        let mut x = self.mid_block.forward(&x)?;
        for block in &self.up_blocks {
            for resnet in &block.resnets {
                x = resnet.forward(&x)?;
            }
            if let Some(conv) = &block.resample {
                x = conv.forward(&double(&x)?)?;
            }
        }
        let x = Activation::Silu.apply(&self.norm_out.forward(&x)?)?;
        Ok(self.conv_out.forward(&x)?.clamp(-1.0, 1.0)?)
    }
}
