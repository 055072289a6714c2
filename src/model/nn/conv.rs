//! Two-dimensional convolution. On the CPU in f32, it gathers and multiplies tiles, which is several times
//! faster than candle's convolution and uses 32 MiB at a time. In other cases it is candle's convolution.

use crate::model::{Result, Weights};
use candle_core::{DType, Device, Tensor};
use unigauge_kernels::{Convolution, convolution};

/// The number of values that candle gathers at a time in other cases: 512 Mi, which is 1 GiB in bf16.
const BAND: usize = 1 << 29;

/// A convolution.
#[derive(Debug, Clone)]
pub struct Conv2d {
    /// [O, C, k, k]
    weight: Tensor,
    bias: Option<Tensor>,
    kernel: usize,
    stride: usize,
    padding: Padding,
}

/// Zeros around a picture: (before, after) for both axes.
#[derive(Debug, Clone, Copy)]
pub struct Padding {
    /// Number of zeros before each axis.
    pub before: usize,
    /// Number of zeros after each axis.
    pub after: usize,
}

impl Conv2d {
    /// `input` to `output` channels with a square kernel.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(
        weights: &Weights,
        (input, output): (usize, usize),
        kernel: usize,
        stride: usize,
        padding: Padding,
    ) -> Result<Self> {
        Ok(Self {
            weight: weights.get("weight", (output, input, kernel, kernel))?,
            bias: Some(weights.get("bias", output)?),
            kernel,
            stride,
            padding,
        })
    }

    /// A convolution with a kernel [O, C, k, k] and a bias `[O]` that are at hand.
    ///
    /// # Errors
    /// Fails if the kernel has other axes.
    pub fn from_parts(
        weight: Tensor,
        bias: Tensor,
        stride: usize,
        padding: Padding,
    ) -> Result<Self> {
        let (_, _, kernel, _) = weight.dims4()?;
        Ok(Self {
            weight,
            bias: Some(bias),
            kernel,
            stride,
            padding,
        })
    }

    /// Three by three (or k by k, k odd), keeping the size.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn same(weights: &Weights, channels: (usize, usize), kernel: usize) -> Result<Self> {
        let side = kernel / 2;
        let padding = Padding {
            before: side,
            after: side,
        };
        Self::new(weights, channels, kernel, 1, padding)
    }

    /// The same as [`Self::same`], without a bias, in steps of `stride`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn without_bias(
        weights: &Weights,
        (input, output): (usize, usize),
        kernel: usize,
        stride: usize,
    ) -> Result<Self> {
        let side = kernel / 2;
        Ok(Self {
            weight: weights.get("weight", (output, input, kernel, kernel))?,
            bias: None,
            kernel,
            stride,
            padding: Padding {
                before: side,
                after: side,
            },
        })
    }

    /// [B, C, H, W] → [B, O, H', W'].
    ///
    /// # Errors
    /// Fails if the channels differ or the picture is smaller than the kernel.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match (x.device(), x.dtype()) {
            (Device::Cpu, DType::F32) => return self.gathered(x),
            (Device::Cpu, dtype) => {
                let exact = |x: &Tensor| x.to_dtype(DType::F32);
                let exact = Self {
                    weight: exact(&self.weight)?,
                    bias: self.bias.as_ref().map(exact).transpose()?,
                    ..self.clone()
                };
                return exact.gathered(&x.to_dtype(DType::F32)?)?.to_dtype(dtype);
            }
            _ => {}
        }

        let Padding { before, after } = self.padding;
        let padded = x
            .pad_with_zeros(2, before, after)?
            .pad_with_zeros(3, before, after)?;
        let y = self.banded(&padded, BAND)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(&bias.reshape((1, (), 1, 1))?),
            None => Ok(y),
        }
    }

    /// candle's convolution in bands of rows: it gathers a whole band, which takes gigabytes for a large
    /// picture, and counts the values in 32 bits.
    fn banded(&self, padded: &Tensor, band: usize) -> candle_core::Result<Tensor> {
        let (batch, channels, height, width) = padded.dims4()?;
        let rows = height.saturating_sub(self.kernel) / self.stride + 1;
        let seen = batch * channels * self.kernel * self.kernel * width;
        let step = (band / seen.max(1)).clamp(1, rows);
        if step == rows {
            return padded.conv2d(&self.weight, 0, self.stride, 1, 1);
        }
        let bands: Vec<Tensor> = (0..rows)
            .step_by(step)
            .map(|start| {
                let count = step.min(rows - start);
                let length = (count - 1) * self.stride + self.kernel;
                let part = padded.narrow(2, start * self.stride, length)?;
                part.contiguous()?
                    .conv2d(&self.weight, 0, self.stride, 1, 1)
            })
            .collect::<candle_core::Result<_>>()?;
        Tensor::cat(&bands, 2)
    }

    fn gathered(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let Padding { before, after } = self.padding;
        let op = Convolution {
            kernel: self.kernel,
            stride: self.stride,
            before,
            after,
        };
        convolution(x, &self.weight, self.bias.as_ref(), op)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::audit;

    /// Compares the gathered product with candle's own convolution, for several strides, kernels and uneven
    /// paddings.
    #[test]
    fn tiles_give_what_candles_convolution_gives() {
        let device = Device::Cpu;
        for (kernel, stride, before, after) in
            [(3, 1, 1, 1), (3, 2, 0, 1), (1, 1, 0, 0), (3, 2, 1, 1)]
        {
            let x = Tensor::randn(0f32, 1., (2, 5, 9, 7), &device).unwrap();
            let conv = Conv2d {
                weight: Tensor::randn(0f32, 1., (4, 5, kernel, kernel), &device).unwrap(),
                bias: None,
                kernel,
                stride,
                padding: Padding { before, after },
            };
            let got = conv.forward(&x).unwrap();
            let padded = x.pad_with_zeros(2, before, after).unwrap();
            let padded = padded.pad_with_zeros(3, before, after).unwrap();
            let want = padded.conv2d(&conv.weight, 0, stride, 1, 1).unwrap();
            assert_eq!(got.dims(), want.dims());
            // Bands of one row, and of a few.
            for band in [1, 5 * kernel * kernel * 10 * 4] {
                let bands = conv.banded(&padded, band).unwrap();
                let worst = (bands - &want).unwrap().abs().unwrap();
                let worst: f32 = worst.max_all().unwrap().to_scalar().unwrap();
                assert!(worst < 1e-5, "{kernel} {stride} {band}");
            }
            let worst = (got - want).unwrap().abs().unwrap().max_all().unwrap();
            assert!(
                worst.to_scalar::<f32>().unwrap() < 1e-4,
                "{kernel} {stride}"
            );
        }
        let asked = audit(None, |weights| Conv2d::same(weights, (5, 4), 3)).unwrap();
        assert_eq!(asked[0].shape, [4, 5, 3, 3]);
    }
}
