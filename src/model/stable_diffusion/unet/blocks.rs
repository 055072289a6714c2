//! The blocks of the way down, of the middle, and of the way up.

use super::config::{BlockShape, UNetConfig, attends};
use super::transformer::SpatialTransformer;
use crate::model::nn::{Activation, Conv2d, GroupNorm, Linear, Padding, double, linear};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};

/// What every block of an evaluation sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// SiLU of the time's embedding, [B, T].
    pub time: &'a Tensor,
    /// The prompt's states, [B, L, J].
    pub context: &'a Tensor,
}

/// Twice a norm, SiLU and a convolution, with the time between them.
#[derive(Debug, Clone)]
struct ResnetBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    time_emb_proj: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
}

impl ResnetBlock {
    fn new(config: &UNetConfig, weights: &Weights, input: usize, output: usize) -> Result<Self> {
        let norm = |name: &str, channels| {
            GroupNorm::new(
                &weights.at(name),
                config.norm_num_groups,
                channels,
                config.norm_eps,
            )
        };
        let time = weights.at("time_emb_proj");
        Ok(Self {
            norm1: norm("norm1", input)?,
            conv1: Conv2d::same(&weights.at("conv1"), (input, output), 3)?,
            time_emb_proj: linear(&time, config.time_width(), output, true)?,
            norm2: norm("norm2", output)?,
            conv2: Conv2d::same(&weights.at("conv2"), (output, output), 3)?,
            conv_shortcut: (input != output)
                .then(|| Conv2d::same(&weights.at("conv_shortcut"), (input, output), 1))
                .transpose()?,
        })
    }

    fn forward(&self, x: &Tensor, time: &Tensor) -> candle_core::Result<Tensor> {
        let hidden = Activation::Silu.apply(&self.norm1.forward(x)?)?;
        let hidden = self.conv1.forward(&hidden)?;
        let time = self.time_emb_proj.forward(time)?;
        let hidden = hidden.broadcast_add(&time.unsqueeze(2)?.unsqueeze(3)?)?;
        let hidden = Activation::Silu.apply(&self.norm2.forward(&hidden)?)?;
        let hidden = self.conv2.forward(&hidden)?;
        match &self.conv_shortcut {
            Some(shortcut) => shortcut.forward(x)? + hidden,
            None => x + hidden,
        }
    }
}

/// A residual block, with an attention after it in some blocks.
#[derive(Debug, Clone)]
struct Pair {
    resnet: ResnetBlock,
    attention: Option<SpatialTransformer>,
}

impl Pair {
    fn new(
        config: &UNetConfig,
        weights: &Weights,
        number: usize,
        input: usize,
        shape: BlockShape,
        attends: bool,
    ) -> Result<Self> {
        let resnet = weights.at("resnets").at(number);
        let attention = weights.at("attentions").at(number);
        Ok(Self {
            resnet: ResnetBlock::new(config, &resnet, input, shape.channels)?,
            attention: attends
                .then(|| SpatialTransformer::new(config, &attention, shape))
                .transpose()?,
        })
    }

    fn forward(&self, x: &Tensor, seen: Seen<'_>) -> candle_core::Result<Tensor> {
        let x = self.resnet.forward(x, seen.time)?;
        match &self.attention {
            Some(attention) => attention.forward(&x, seen.context),
            None => Ok(x),
        }
    }
}

/// `down_blocks.i`
#[derive(Debug, Clone)]
pub(super) struct DownBlock {
    pairs: Vec<Pair>,
    downsampler: Option<Conv2d>,
}

impl DownBlock {
    /// A block after `input` channels. All blocks but the last halve the size.
    pub(super) fn new(
        config: &UNetConfig,
        weights: &Weights,
        input: usize,
        shape: BlockShape,
        (kind, halves): (&str, bool),
    ) -> Result<Self> {
        let attends = attends(kind)?;
        let channels = shape.channels;
        let pair = |i: usize| {
            let input = if i == 0 { input } else { channels };
            Pair::new(config, weights, i, input, shape, attends)
        };
        let padding = Padding {
            before: 1,
            after: 1,
        };
        let conv = weights.at("downsamplers.0.conv");
        Ok(Self {
            pairs: (0..config.layers_per_block)
                .map(pair)
                .collect::<Result<_>>()?,
            downsampler: halves
                .then(|| Conv2d::new(&conv, (channels, channels), 3, 2, padding))
                .transpose()?,
        })
    }

    /// [B, C, H, W] → the result. Every result on the way is added to `skips`.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        seen: Seen<'_>,
        skips: &mut Vec<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let mut x = x.clone();
        for pair in &self.pairs {
            x = pair.forward(&x, seen)?;
            skips.push(x.clone());
        }
        if let Some(downsampler) = &self.downsampler {
            x = downsampler.forward(&x)?;
            skips.push(x.clone());
        }
        Ok(x)
    }
}

/// `mid_block`: residual, attention, residual.
#[derive(Debug, Clone)]
pub(super) struct MidBlock {
    first: Pair,
    second: ResnetBlock,
}

impl MidBlock {
    pub(super) fn new(config: &UNetConfig, weights: &Weights, shape: BlockShape) -> Result<Self> {
        let channels = shape.channels;
        Ok(Self {
            first: Pair::new(config, weights, 0, channels, shape, true)?,
            second: ResnetBlock::new(config, &weights.at("resnets.1"), channels, channels)?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, seen: Seen<'_>) -> candle_core::Result<Tensor> {
        let x = self.first.forward(x, seen)?;
        self.second.forward(&x, seen.time)
    }
}

/// `up_blocks.i`
#[derive(Debug, Clone)]
pub(super) struct UpBlock {
    pairs: Vec<Pair>,
    upsampler: Option<Conv2d>,
}

impl UpBlock {
    /// A block after `before` channels, whose last skip connection has `below` channels, as the block of the
    /// way down had at its start. All blocks but the last double the size.
    pub(super) fn new(
        config: &UNetConfig,
        weights: &Weights,
        (before, below): (usize, usize),
        shape: BlockShape,
        (kind, doubles): (&str, bool),
    ) -> Result<Self> {
        let attends = attends(kind)?;
        let (channels, last) = (shape.channels, config.layers_per_block);
        let pair = |i: usize| {
            let stream = if i == 0 { before } else { channels };
            let skip = if i == last { below } else { channels };
            Pair::new(config, weights, i, stream + skip, shape, attends)
        };
        let conv = weights.at("upsamplers.0.conv");
        Ok(Self {
            pairs: (0..=last).map(pair).collect::<Result<_>>()?,
            upsampler: doubles
                .then(|| Conv2d::same(&conv, (channels, channels), 3))
                .transpose()?,
        })
    }

    /// [B, C, H, W] → the result. Takes its skip connections from the end of `skips`.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        seen: Seen<'_>,
        skips: &mut Vec<Tensor>,
    ) -> Result<Tensor> {
        let missing = || ModelError::Input("the skip connections of the UNet do not fit".into());
        let mut x = x.clone();
        for pair in &self.pairs {
            let skip = skips.pop().ok_or_else(missing)?;
            x = pair.forward(&Tensor::cat(&[&x, &skip], 1)?, seen)?;
        }
        let Some(upsampler) = &self.upsampler else {
            return Ok(x);
        };
        let (_, _, height, width) = skips.last().ok_or_else(missing)?.dims4()?;
        Ok(upsampler.forward(&enlarged(&x, height, width)?)?)
    }
}

/// Each cell is repeated, to the size of the next skip connection. That is the double size, or one less if a
/// side does not halve evenly.
fn enlarged(x: &Tensor, height: usize, width: usize) -> candle_core::Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    if (height, width) == (2 * h, 2 * w) {
        double(x)
    } else {
        x.contiguous()?.upsample_nearest2d(height, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    // torch: F.interpolate(torch.tensor([[[[1., 2.], [3., 4.]]]]), size=(3, 4)) repeats the first row twice.
    #[test]
    fn an_odd_size_repeats_the_first_cells() {
        let x = Tensor::new(&[[[[1f32, 2.0], [3.0, 4.0]]]], &Device::Cpu).unwrap();
        let y = enlarged(&x, 3, 4).unwrap().flatten_all().unwrap();
        let want = [1., 1., 2., 2., 1., 1., 2., 2., 3., 3., 4., 4.];
        assert_eq!(y.to_vec1::<f32>().unwrap(), want);
    }
}
