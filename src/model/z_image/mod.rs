//! Z-Image: its transformer, with the keys and the results of `ZImageTransformer2DModel` of diffusers, and
//! its text encoder.
//!
//! Z-Image team, arXiv 2511.22699. Of candle-transformers, the text encoder is used (see [`ZImageText`]). Its
//! transformer masks the padding rows, which the reference attends to, and its scheduler does not shift when
//! it is given a shift without dynamic shifting. The case `z_image` shows both.

mod block;
mod text;

pub use text::{ZImageText, ZImageTextConfig};

use super::flux::{Rope, modulate};
use super::nn::{Activation, Linear, RmsNorm, Sinusoid, linear, rms_norm};
use super::{ModelError, Result, Weights};
use block::Block;
use candle_core::{DType, Device, Module, Tensor};
use serde::Deserialize;

/// Width of the sinusoid of a time, and of the layer after it.
const SINUSOID: usize = 256;
const TIME_INNER: usize = 1024;
/// The largest width of the embedding of the time.
const TIME_WIDTH: usize = 256;
/// Texts and pictures are padded to a multiple of this number of tokens.
const MULTIPLE: usize = 32;
/// Number of cells along the side of a token. Other sizes exist in the configuration, but not in the weights.
const PATCH: usize = 2;

/// The fields of `transformer/config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct ZImageConfig {
    /// Width of the tokens.
    pub dim: usize,
    /// Number of attention heads.
    pub n_heads: usize,
    /// Number of key and value heads.
    pub n_kv_heads: usize,
    /// Number of blocks that see picture and text.
    pub n_layers: usize,
    /// Number of blocks that see one of them.
    pub n_refiner_layers: usize,
    /// Number of channels of the latents.
    pub in_channels: usize,
    /// Width of the prompt's states.
    pub cap_feat_dim: usize,
    /// Number of elements of a head that each axis of positions rotates.
    pub axes_dims: Vec<usize>,
    /// Number of cells along the side of a token, of which 2 is supported.
    pub all_patch_size: Vec<usize>,
    /// Epsilon of the norms.
    #[serde(default = "epsilon")]
    pub norm_eps: f64,
    /// Whether queries and keys are normalised.
    #[serde(default = "yes")]
    pub qk_norm: bool,
    /// The base of the rotary angles.
    #[serde(default = "theta")]
    pub rope_theta: f64,
    /// The factor of the time.
    #[serde(default = "scale")]
    pub t_scale: f64,
}

fn epsilon() -> f64 {
    1e-5
}

fn yes() -> bool {
    true
}

fn theta() -> f64 {
    256.0
}

fn scale() -> f64 {
    1000.0
}

impl ZImageConfig {
    fn head_dim(&self) -> usize {
        self.dim / self.n_heads.max(1)
    }

    /// Width of the feed-forward.
    fn inner(&self) -> usize {
        (self.dim as f64 / 3.0 * 8.0) as usize
    }

    fn time_width(&self) -> usize {
        self.dim.min(TIME_WIDTH)
    }

    fn check(&self) -> Result<()> {
        let wrong = |message: String| {
            Err(ModelError::Input(format!(
                "transformer/config.json: {message}"
            )))
        };
        if self.n_heads == 0
            || !self.dim.is_multiple_of(self.n_heads)
            || self.n_kv_heads != self.n_heads
        {
            return wrong(format!(
                "`n_heads` = {} must divide `dim` = {} and be `n_kv_heads` = {}",
                self.n_heads, self.dim, self.n_kv_heads
            ));
        }
        if self.axes_dims.iter().sum::<usize>() != self.head_dim() {
            return wrong(format!(
                "`axes_dims` = {:?} must sum to the width of a head, {}",
                self.axes_dims,
                self.head_dim()
            ));
        }
        if self.all_patch_size != [PATCH] {
            return wrong(format!(
                "`all_patch_size` = {:?} is not supported; it must be [{PATCH}]",
                self.all_patch_size
            ));
        }
        Ok(())
    }
}

/// The transformer.
#[derive(Debug)]
pub struct ZImageTransformer {
    x_embedder: Linear,
    cap_norm: RmsNorm,
    cap_embedder: Linear,
    x_pad_token: Tensor,
    cap_pad_token: Tensor,
    time: [Linear; 2],
    noise_refiner: Vec<Block>,
    context_refiner: Vec<Block>,
    layers: Vec<Block>,
    final_modulation: Linear,
    final_linear: Linear,
    config: ZImageConfig,
    dtype: DType,
}

/// A prompt at its positions, which stay the same over all steps.
#[derive(Debug, Clone)]
pub struct Caption {
    /// [1, T, D] with padding.
    tokens: Tensor,
    /// Positions of the text [T, 3].
    ids: Vec<[f32; 3]>,
}

impl ZImageTransformer {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if the configuration is of another kind of network, and when [`Weights::get`] fails.
    pub fn new(config: &ZImageConfig, weights: &Weights) -> Result<Self> {
        config.check()?;
        let (width, at) = (config.dim, |name: &str| weights.at(name));
        let token = PATCH * PATCH * config.in_channels;
        let blocks = |name: &str, count: usize, is_modulated| {
            let block = |i| Block::new(config, &weights.at(name).at(i), is_modulated);
            (0..count).map(block).collect::<Result<Vec<_>>>()
        };
        let last = at("all_final_layer.2-1");
        let modulation = last.at("adaLN_modulation.1");
        let refiners = config.n_refiner_layers;
        Ok(Self {
            x_embedder: linear(&at("all_x_embedder.2-1"), token, width, true)?,
            cap_norm: rms_norm(&at("cap_embedder.0"), config.cap_feat_dim, config.norm_eps)?,
            cap_embedder: linear(&at("cap_embedder.1"), config.cap_feat_dim, width, true)?,
            x_pad_token: weights.get("x_pad_token", (1, width))?,
            cap_pad_token: weights.get("cap_pad_token", (1, width))?,
            time: [
                linear(&at("t_embedder.mlp.0"), SINUSOID, TIME_INNER, true)?,
                linear(
                    &at("t_embedder.mlp.2"),
                    TIME_INNER,
                    config.time_width(),
                    true,
                )?,
            ],
            noise_refiner: blocks("noise_refiner", refiners, true)?,
            context_refiner: blocks("context_refiner", refiners, false)?,
            layers: blocks("layers", config.n_layers, true)?,
            final_modulation: linear(&modulation, config.time_width(), width, true)?,
            final_linear: linear(&last.at("linear"), width, token, true)?,
            config: config.clone(),
            dtype: weights.dtype(),
        })
    }

    /// A prompt's states [1, L, J], embedded, padded and refined.
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn caption(&self, states: &Tensor) -> Result<Caption> {
        let length = states.dim(1)?;
        let states = self.cap_norm.forward(&states.to_dtype(self.dtype)?)?;
        let tokens = self.cap_embedder.forward(&states)?;
        let tokens = padded(&tokens, &self.cap_pad_token)?;
        // Text has the positions 1, 2, … on the first axis, and its padding those that follow.
        let count = length.next_multiple_of(MULTIPLE);
        let ids: Vec<[f32; 3]> = (1..=count).map(|i| [i as f32, 0.0, 0.0]).collect();
        let rope = self.rope(&ids, tokens.device())?;
        // These blocks have no time.
        let nothing = Tensor::zeros((1, 1), self.dtype, tokens.device())?;
        let mut tokens = tokens;
        for block in &self.context_refiner {
            tokens = block.forward(&tokens, &nothing, &rope)?;
        }
        Ok(Caption { tokens, ids })
    }

    /// The output [1, c, h, w] for latents of the same shape at a time `[1]` from 0 (noise) to 1 (picture).
    /// The velocity is its negative.
    ///
    /// # Errors
    /// Fails if a side is odd, or the channels differ.
    pub fn forward(&self, latents: &Tensor, time: &Tensor, caption: &Caption) -> Result<Tensor> {
        let (batch, channels, height, width) = latents.dims4()?;
        if batch != 1 || height % PATCH != 0 || width % PATCH != 0 {
            return Err(ModelError::Input(format!(
                "one picture of even sides is needed, but there are {batch} of {width} × {height} cells"
            )));
        }
        let (h, w) = (height / PATCH, width / PATCH);
        let tokens = self
            .x_embedder
            .forward(&patches(latents)?.to_dtype(self.dtype)?)?;
        let tokens = padded(&tokens, &self.x_pad_token)?;
        let first = (caption.ids.len() + 1) as f32;
        let cell = |i: usize| {
            if i < h * w {
                [first, (i / w) as f32, (i % w) as f32]
            } else {
                [0.0; 3]
            }
        };
        let count = tokens.dim(1)?;
        let ids: Vec<[f32; 3]> = (0..count).map(cell).collect();
        let time = self.embedded(time)?;
        let mut picture = tokens;
        let rope = self.rope(&ids, latents.device())?;
        for block in &self.noise_refiner {
            picture = block.forward(&picture, &time, &rope)?;
        }
        let mut joined = Tensor::cat(&[&picture, &caption.tokens], 1)?;
        let rope = self.rope(&[&ids[..], &caption.ids[..]].concat(), latents.device())?;
        for block in &self.layers {
            joined = block.forward(&joined, &time, &rope)?;
        }
        let picture = joined.narrow(1, 0, h * w)?.contiguous()?;
        let scale = self
            .final_modulation
            .forward(&Activation::Silu.apply(&time)?)?;
        let picture = modulate(&picture, &scale, &scale.zeros_like()?)?;
        let tokens = self.final_linear.forward(&picture)?;
        let cells = tokens.reshape(vec![1, h, w, PATCH, PATCH, channels])?;
        let cells = cells.permute(vec![0, 5, 1, 3, 2, 4])?;
        Ok(cells.reshape((1, channels, height, width))?)
    }

    /// `[1]` → [1, T]
    fn embedded(&self, time: &Tensor) -> Result<Tensor> {
        let scaled = (time.to_dtype(DType::F32)? * self.config.t_scale)?;
        let sinusoid = Sinusoid::default().of(&scaled, SINUSOID)?;
        let [first, second] = &self.time;
        let inner = first.forward(&sinusoid.to_dtype(self.dtype)?)?;
        Ok(second.forward(&Activation::Silu.apply(&inner)?)?)
    }

    fn rope(&self, ids: &[[f32; 3]], device: &Device) -> Result<Rope> {
        let ids = Tensor::from_vec(ids.concat(), (ids.len(), 3), device)?;
        Rope::with_theta(&ids, &self.config.axes_dims, self.config.rope_theta, device)
    }
}

/// [1, c, h, w] → [1, h · w / 4, 4c], in a token row, column, channel.
fn patches(latents: &Tensor) -> Result<Tensor> {
    let (_, channels, height, width) = latents.dims4()?;
    let (h, w) = (height / PATCH, width / PATCH);
    let cells = latents.reshape(vec![1, channels, h, PATCH, w, PATCH])?;
    let cells = cells.permute(vec![0, 2, 4, 3, 5, 1])?;
    Ok(cells.reshape((1, h * w, PATCH * PATCH * channels))?)
}

/// Tokens [1, L, D], with the learned token up to a multiple of 32. The padding is attended to like any other
/// token.
fn padded(tokens: &Tensor, pad: &Tensor) -> Result<Tensor> {
    let (_, length, width) = tokens.dims3()?;
    let missing = length.next_multiple_of(MULTIPLE) - length;
    if missing == 0 {
        return Ok(tokens.clone());
    }
    let pad = pad.unsqueeze(0)?.broadcast_as((1, missing, width))?;
    Ok(Tensor::cat(&[tokens, &pad.contiguous()?], 1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::audit;

    #[test]
    fn the_released_network_has_the_published_number_of_parameters() {
        let text = include_str!("../../../configs/released/z-image-turbo/transformer.json");
        let config: ZImageConfig = serde_json::from_str(text).unwrap();
        let asked = audit(None, |weights| ZImageTransformer::new(&config, weights)).unwrap();
        let size = |shape: &[usize]| shape.iter().product::<usize>();
        let total: usize = asked.iter().map(|asked| size(&asked.shape)).sum();
        assert_eq!(total, 6_154_908_736);
    }
}
