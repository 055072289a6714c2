//! The vector quantizer: from features to the codes with the nearest direction, and from codes to the
//! decoder's condition by the raw rows.

use super::EncoderConfig;
use crate::model::nn::{Conv2d, GroupNorm, Linear};
use crate::model::{ModelError, Result, Weights};
use candle_core::{D, DType, Module, Tensor};

const GROUPS: usize = 32;
const NORM_EPS: f64 = 1e-5;
/// Number of codes that are compared with all features at a time.
const ROWS: usize = 1024;

/// A convolution of one cell, as a linear layer: `weight` [O, C, 1, 1].
pub(super) fn point(weights: &Weights, input: usize, output: usize) -> Result<Linear> {
    let weight = weights.get("weight", (output, input, 1, 1))?;
    let weight = weight.reshape((output, input))?;
    Ok(Linear::new(weight, Some(weights.get("bias", output)?)))
}

/// The rows of the codebook, [codes, dim].
pub(super) fn codebook(config: &EncoderConfig, weights: &Weights) -> Result<Tensor> {
    let shape = (config.codebook_size, config.codebook_dim);
    weights.get("quantize.embedding.weight", shape)
}

/// From features to codes. The computation is in f32, so that near ties do not depend on the precision.
#[derive(Debug, Clone)]
pub struct VqEncoder {
    quant_conv: Linear,
    /// Rows of length one.
    codes: Tensor,
}

impl VqEncoder {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &EncoderConfig, weights: &Weights) -> Result<Self> {
        let weights = weights.with_dtype(DType::F32);
        let conv = weights.at("quant_conv");
        Ok(Self {
            quant_conv: point(&conv, config.z_channels, config.codebook_dim)?,
            codes: unit(&codebook(config, &weights)?)?,
        })
    }

    /// Features [B, N, D] → the nearest code of each [B, N], u32; the first of equally near ones.
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn encode(&self, features: &Tensor) -> Result<Tensor> {
        let (batch, length, width) = features.dims3()?;
        let features = features
            .to_dtype(DType::F32)?
            .reshape((batch * length, width))?;
        let z = unit(&self.quant_conv.forward(&features)?)?;
        let codes = self.codes.t()?;
        let mut near = Vec::with_capacity(z.dim(0)?);
        for start in (0..z.dim(0)?).step_by(ROWS) {
            let rows = z.narrow(0, start, ROWS.min(z.dim(0)? - start))?;
            // All lengths are one, so the nearest code has the largest product.
            let found = rows.matmul(&codes)?.argmax(D::Minus1)?;
            near.extend(found.to_vec1::<u32>()?);
        }
        Ok(Tensor::from_vec(near, (batch, length), features.device())?)
    }
}

/// Rows of length one. A row of zeros stays.
pub(super) fn unit(rows: &Tensor) -> candle_core::Result<Tensor> {
    let length = rows.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.maximum(1e-12)?;
    rows.broadcast_div(&length)
}

/// From codes to the decoder's condition.
#[derive(Debug, Clone)]
pub struct VqDecoder {
    codes: Tensor,
    post_quant_conv: Linear,
    post_conv: [Residual; 2],
}

#[derive(Debug, Clone)]
struct Residual {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
}

impl Residual {
    fn new(weights: &Weights, channels: usize) -> Result<Self> {
        let norm = |name: &str| GroupNorm::new(&weights.at(name), GROUPS, channels, NORM_EPS);
        let conv = |name: &str| Conv2d::same(&weights.at(name), (channels, channels), 3);
        Ok(Self {
            norm1: norm("norm1")?,
            conv1: conv("conv1")?,
            norm2: norm("norm2")?,
            conv2: conv("conv2")?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let y = self.conv1.forward(&self.norm1.forward(x)?.gelu_erf()?)?;
        x + self.conv2.forward(&self.norm2.forward(&y)?.gelu_erf()?)?
    }
}

impl VqDecoder {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &EncoderConfig, weights: &Weights) -> Result<Self> {
        let (width, post) = (config.z_channels, weights.at("post_conv"));
        let conv = weights.at("post_quant_conv");
        Ok(Self {
            codes: codebook(config, weights)?,
            post_quant_conv: point(&conv, config.codebook_dim, width)?,
            post_conv: [
                Residual::new(&post.at(0), width)?,
                Residual::new(&post.at(1), width)?,
            ],
        })
    }

    /// Codes of h · w cells in raster order → [1, h · w, Z].
    ///
    /// # Errors
    /// Fails if a code is outside the codebook, or if there are not h · w codes.
    pub fn decode(&self, codes: &[u32], grid: (usize, usize)) -> Result<Tensor> {
        self.decode_all(&[codes], grid)
    }

    /// Codes of several grids of one size → [B, h · w, Z].
    ///
    /// # Errors
    /// Fails when [`Self::decode`] fails, and if there is no grid.
    pub fn decode_all(&self, grids: &[&[u32]], (h, w): (usize, usize)) -> Result<Tensor> {
        let count = self.codes.dim(0)?;
        let wrong = |codes: &&&[u32]| codes.len() != h * w || codes.is_empty();
        if let Some(codes) = grids.iter().find(wrong) {
            return Err(ModelError::Input(format!(
                "{} image tokens do not form a grid of {w} × {h}",
                codes.len()
            )));
        }
        let all = grids.concat();
        if let Some(code) = all.iter().find(|&&code| code as usize >= count) {
            return Err(ModelError::Input(format!(
                "image token {code} is outside the codebook of {count}"
            )));
        }
        let ids = Tensor::new(all, self.codes.device())?;
        let rows = self.codes.index_select(&ids, 0)?;
        self.features(&rows.reshape((grids.len(), h * w, ()))?, (h, w))
    }

    /// Rows of the codebook, or vectors that replace them, [B, h · w, dim] → [B, h · w, Z].
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub fn features(&self, rows: &Tensor, (h, w): (usize, usize)) -> Result<Tensor> {
        let rows = self.post_quant_conv.forward(rows)?;
        let mut x = rows.transpose(1, 2)?.reshape((rows.dim(0)?, (), h, w))?;
        for block in &self.post_conv {
            x = block.forward(&x)?;
        }
        Ok(x.flatten_from(2)?.transpose(1, 2)?.contiguous()?)
    }
}
