//! The parts of encoder and decoder: residual blocks, the attention in the middle, and changes of size.

use super::VaeConfig;
use crate::model::nn::{
    Activation, Conv2d, GroupNorm, Linear, Mask, Padding, attention, double, linear,
};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

/// Epsilon of every group norm.
const EPS: f64 = 1e-6;

/// The norm of a place in the network.
///
/// # Errors
/// Fails when [`GroupNorm::new`] fails.
pub(super) fn norm(config: &VaeConfig, weights: &Weights, channels: usize) -> Result<GroupNorm> {
    GroupNorm::new(weights, config.norm_num_groups, channels, EPS)
}

/// Twice a norm, SiLU and a convolution, added to the input or to its 1 × 1 convolution.
#[derive(Debug, Clone)]
pub(super) struct ResnetBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
}

impl ResnetBlock {
    /// Loads the tensors from `weights`.
    pub(super) fn new(
        config: &VaeConfig,
        weights: &Weights,
        input: usize,
        output: usize,
    ) -> Result<Self> {
        Ok(Self {
            norm1: norm(config, &weights.at("norm1"), input)?,
            conv1: Conv2d::same(&weights.at("conv1"), (input, output), 3)?,
            norm2: norm(config, &weights.at("norm2"), output)?,
            conv2: Conv2d::same(&weights.at("conv2"), (output, output), 3)?,
            conv_shortcut: (input != output)
                .then(|| Conv2d::same(&weights.at("conv_shortcut"), (input, output), 1))
                .transpose()?,
        })
    }

    /// [B, C, H, W] → the result of the block.
    pub(super) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let hidden = self
            .conv1
            .forward(&Activation::Silu.apply(&self.norm1.forward(x)?)?)?;
        let hidden = self
            .conv2
            .forward(&Activation::Silu.apply(&self.norm2.forward(&hidden)?)?)?;
        match &self.conv_shortcut {
            Some(shortcut) => shortcut.forward(x)? + hidden,
            None => x + hidden,
        }
    }
}

/// One head of attention over all cells.
#[derive(Debug, Clone)]
struct Attention {
    group_norm: GroupNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
}

impl Attention {
    fn new(config: &VaeConfig, weights: &Weights, channels: usize) -> Result<Self> {
        // SD 1.5's file is older than the names of today.
        let names = if weights.has("query.weight") {
            ["query", "key", "value", "proj_attn"]
        } else {
            ["to_q", "to_k", "to_v", "to_out.0"]
        };
        let group_norm = norm(config, &weights.at("group_norm"), channels)?;
        let [to_q, to_k, to_v, to_out] =
            names.map(|name| linear(&weights.at(name), channels, channels, true));
        Ok(Self {
            group_norm,
            to_q: to_q?,
            to_k: to_k?,
            to_v: to_v?,
            to_out: to_out?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (_, channels, _, _) = x.dims4()?;
        let tokens = self
            .group_norm
            .forward(x)?
            .flatten_from(2)?
            .transpose(1, 2)?
            .contiguous()?;
        let head = |layer: &Linear| layer.forward(&tokens)?.unsqueeze(1);
        let (q, k, v) = (head(&self.to_q)?, head(&self.to_k)?, head(&self.to_v)?);
        let scale = 1.0 / (channels as f64).sqrt();
        let seen = attention(&q, &k, &v, scale, Mask::None)?.squeeze(1)?;
        let seen = self.to_out.forward(&seen)?.transpose(1, 2)?;
        x + seen.contiguous()?.reshape(x.shape())?
    }
}

/// Residual, attention, residual, at the lowest level.
#[derive(Debug, Clone)]
pub(super) struct MidBlock {
    first: ResnetBlock,
    attention: Option<Attention>,
    second: ResnetBlock,
}

impl MidBlock {
    /// Loads the tensors from `weights`.
    pub(super) fn new(config: &VaeConfig, weights: &Weights, channels: usize) -> Result<Self> {
        let resnet = |i| ResnetBlock::new(config, &weights.at("resnets").at(i), channels, channels);
        Ok(Self {
            first: resnet(0)?,
            attention: config
                .mid_block_add_attention
                .then(|| Attention::new(config, &weights.at("attentions.0"), channels))
                .transpose()?,
            second: resnet(1)?,
        })
    }

    /// [B, C, H, W] → the result of the block.
    pub(super) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let mut x = self.first.forward(x)?;
        if let Some(attention) = &self.attention {
            x = attention.forward(&x)?;
        }
        self.second.forward(&x)
    }
}

/// The residual blocks of a level, and the change of size after them.
#[derive(Debug, Clone)]
pub(super) struct Level {
    resnets: Vec<ResnetBlock>,
    resize: Option<Resize>,
}

#[derive(Debug, Clone)]
enum Resize {
    /// A convolution of stride 2, padded at the right and the bottom.
    Down(Conv2d),
    /// Doubles each cell in both directions, and then applies a convolution.
    Up(Conv2d),
}

impl Level {
    /// A level of the encoder. All levels but the last halve the size.
    pub(super) fn down(
        config: &VaeConfig,
        weights: &Weights,
        channels: (usize, usize),
        halves: bool,
    ) -> Result<Self> {
        let padding = Padding {
            before: 0,
            after: 1,
        };
        let conv = weights.at("downsamplers.0.conv");
        let resize = halves
            .then(|| Conv2d::new(&conv, (channels.1, channels.1), 3, 2, padding).map(Resize::Down))
            .transpose()?;
        Self::new(config, weights, channels, config.layers_per_block, resize)
    }

    /// A level of the decoder, which has one more block. All levels but the last double the size.
    pub(super) fn up(
        config: &VaeConfig,
        weights: &Weights,
        channels: (usize, usize),
        doubles: bool,
    ) -> Result<Self> {
        let conv = weights.at("upsamplers.0.conv");
        let resize = doubles
            .then(|| Conv2d::same(&conv, (channels.1, channels.1), 3).map(Resize::Up))
            .transpose()?;
        Self::new(
            config,
            weights,
            channels,
            config.layers_per_block + 1,
            resize,
        )
    }

    fn new(
        config: &VaeConfig,
        weights: &Weights,
        (input, output): (usize, usize),
        count: usize,
        resize: Option<Resize>,
    ) -> Result<Self> {
        let resnet = |i: usize| {
            let from = if i == 0 { input } else { output };
            ResnetBlock::new(config, &weights.at("resnets").at(i), from, output)
        };
        Ok(Self {
            resnets: (0..count).map(resnet).collect::<Result<_>>()?,
            resize,
        })
    }

    /// [B, C, H, W] → the result of the block.
    pub(super) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let mut x = x.clone();
        for resnet in &self.resnets {
            x = resnet.forward(&x)?;
        }
        match &self.resize {
            None => Ok(x),
            Some(Resize::Down(conv)) => conv.forward(&x),
            Some(Resize::Up(conv)) => conv.forward(&double(&x)?),
        }
    }
}
