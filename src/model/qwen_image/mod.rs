//! Qwen-Image and Qwen-Image-Edit: the transformer, with the keys and the results of
//! `QwenImageTransformer2DModel` of diffusers, and the autoencoder.
//!
//! Qwen team, arXiv 2508.02324. candle-transformers has neither.

mod block;
mod vae;

pub use vae::{QwenVaeConfig, QwenVaeDecoder, QwenVaeEncoder};

use super::flux::{Modulation, Rope, modulate};
use super::nn::{Activation, Embedder, JointShape, Linear, RmsNorm, Sinusoid, linear, rms_norm};
use super::{ModelError, Result, Weights};
use block::{Block, Seen};
use candle_core::{D, DType, Device, Module, Tensor};
use serde::Deserialize;

/// Width of the sinusoid of a time.
const SINUSOID: usize = 256;
/// Sigma is counted in thousandths.
const SCALE: f64 = 1000.0;
/// Epsilon of the norm of the prompt's states.
const EPS: f64 = 1e-6;

/// The fields of `transformer/config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct QwenImageConfig {
    /// Width of a packed token.
    pub in_channels: usize,
    /// Number of channels of the latents.
    pub out_channels: usize,
    /// Number of cells along the side of a token.
    pub patch_size: usize,
    /// Number of blocks.
    pub num_layers: usize,
    /// Width of an attention head.
    pub attention_head_dim: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Width of the prompt's states.
    pub joint_attention_dim: usize,
    /// Number of elements of a head that each axis of positions rotates.
    pub axes_dims_rope: Vec<usize>,
    /// Whether references are modulated by the time 0, as in Qwen-Image-Edit-2511.
    #[serde(default)]
    pub zero_cond_t: bool,
    /// Whether there is an embedding of the guidance, which is not supported.
    #[serde(default)]
    pub guidance_embeds: bool,
}

impl QwenImageConfig {
    fn shape(&self) -> JointShape {
        JointShape {
            head: self.attention_head_dim,
            heads: self.num_attention_heads,
            is_normed: true,
        }
    }

    fn check(&self) -> Result<()> {
        let wrong = |message: &str| {
            let message = format!("transformer/config.json: {message}");
            Err(ModelError::Input(message))
        };
        if self.guidance_embeds {
            return wrong("`guidance_embeds` is true, which is not supported");
        }
        if self.axes_dims_rope.iter().sum::<usize>() != self.attention_head_dim {
            return wrong("`axes_dims_rope` must sum to `attention_head_dim`");
        }
        if self.shape().width() == 0 {
            return wrong("a size is 0");
        }
        Ok(())
    }
}

/// The positions of text and pictures, which stay the same over all steps.
#[derive(Debug, Clone)]
pub struct Places {
    picture: Rope,
    text: Rope,
    /// Number of tokens of the output, which are the first of the pictures'.
    output: usize,
}

/// The transformer.
#[derive(Debug)]
pub struct QwenImageTransformer {
    img_in: Linear,
    txt_norm: RmsNorm,
    txt_in: Linear,
    timestep_embedder: Embedder,
    transformer_blocks: Vec<Block>,
    norm_out: Modulation,
    proj_out: Linear,
    config: QwenImageConfig,
    dtype: DType,
}

impl QwenImageTransformer {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if the configuration is of another kind of network, and when [`Weights::get`] fails.
    pub fn new(config: &QwenImageConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let (shape, at) = (config.shape(), |name: &str| weights.at(name));
        let width = shape.width();
        let block = |index| Block::new(shape, &at("transformer_blocks").at(index));
        let output = config.patch_size * config.patch_size * config.out_channels;
        let text = config.joint_attention_dim;
        let time = at("time_text_embed.timestep_embedder");
        Ok(Self {
            img_in: linear(&at("img_in"), config.in_channels, width, true)?,
            txt_norm: rms_norm(&at("txt_norm"), text, EPS)?,
            txt_in: linear(&at("txt_in"), text, width, true)?,
            timestep_embedder: Embedder::new(&time, SINUSOID, width)?,
            transformer_blocks: (0..config.num_layers).map(block).collect::<Result<_>>()?,
            norm_out: Modulation::new(&at("norm_out"), width, 2)?,
            proj_out: linear(&at("proj_out"), width, output, true)?,
            config: config.clone(),
            dtype: weights.dtype(),
        })
    }

    /// The positions of pictures with these grids (tokens from top to bottom and from left to right), of
    /// which the first is the output, and of `words` text tokens.
    ///
    /// # Errors
    /// Fails if there is no picture.
    pub fn places(
        &self,
        grids: &[(usize, usize)],
        words: usize,
        device: &Device,
    ) -> Result<Places> {
        let &(h, w) = grids
            .first()
            .ok_or_else(|| ModelError::Input("there is no grid for the output".into()))?;
        let centred = |place: usize, count: usize| place as f32 - (count - count / 2) as f32;
        let mut pictures: Vec<[f32; 3]> = Vec::new();
        for (number, &(h, w)) in grids.iter().enumerate() {
            for row in 0..h {
                let column = |column| [number as f32, centred(row, h), centred(column, w)];
                pictures.extend((0..w).map(column));
            }
        }
        let sides = grids.iter().map(|&(h, w)| (h / 2).max(w / 2));
        let first = sides.max().unwrap_or(0);
        let texts: Vec<[f32; 3]> = (first..first + words).map(|i| [i as f32; 3]).collect();
        let rope = |ids: Vec<[f32; 3]>| {
            let tensor = Tensor::from_vec(ids.concat(), (ids.len(), 3), device)?;
            Rope::new(&tensor, &self.config.axes_dims_rope, device)
        };
        Ok(Places {
            picture: rope(pictures)?,
            text: rope(texts)?,
            output: h * w,
        })
    }

    /// The velocity of the output's tokens [1, N, C] at sigma `[1]`. `tokens` [1, N + n, C] are the packed
    /// latents and those of all references, `states` [1, L, J] those of the prompt.
    ///
    /// # Errors
    /// Fails if a shape does not fit.
    pub fn forward(
        &self,
        tokens: &Tensor,
        states: &Tensor,
        sigma: &Tensor,
        places: &Places,
    ) -> Result<Tensor> {
        let condition = self.condition(sigma)?;
        let still = if self.config.zero_cond_t {
            Some(self.condition(&sigma.zeros_like()?)?)
        } else {
            None
        };
        let seen = Seen {
            condition: &condition,
            still: still.as_ref(),
            places,
        };
        let mut picture = self.img_in.forward(&tokens.to_dtype(self.dtype)?)?;
        let states = self.txt_norm.forward(&states.to_dtype(self.dtype)?)?;
        let mut text = self.txt_in.forward(&states)?;
        for block in &self.transformer_blocks {
            (picture, text) = block.forward(&picture, &text, seen)?;
        }
        let picture = picture.narrow(1, 0, places.output)?.contiguous()?;
        let parts = self.norm_out.forward(&condition)?;
        let normed = modulate(&picture, &parts[0], &parts[1])?;
        Ok(self.proj_out.forward(&normed)?)
    }

    /// SiLU of the embedding of sigma `[1]`, [1, D].
    fn condition(&self, sigma: &Tensor) -> Result<Tensor> {
        let time = (sigma.to_dtype(DType::F32)? * SCALE)?;
        let sinusoid = Sinusoid::default().of(&time, SINUSOID)?;
        let embedded = self
            .timestep_embedder
            .forward(&sinusoid.to_dtype(self.dtype)?)?;
        Ok(Activation::Silu.apply(&embedded)?)
    }
}

/// The guided velocity, of which every token has the length that it has with the prompt, all [1, N, C].
///
/// # Errors
/// Fails if shapes differ.
pub fn renormed(with: &Tensor, without: &Tensor, scale: f64) -> Result<Tensor> {
    let mixed = (without + ((with - without)? * scale)?)?;
    let length = |x: &Tensor| x.sqr()?.sum_keepdim(D::Minus1)?.sqrt();
    let ratio = (length(with)? / length(&mixed)?)?;
    Ok(mixed.broadcast_mul(&ratio)?)
}
