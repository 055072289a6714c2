//! The quantizer in training: index backpropagation (Shi et al., "Scalable Image Tokenization with Index
//! Backpropagation Quantization", arXiv 2412.02692), which gives every code a gradient at every step.

use super::EncoderConfig;
use super::vq::{codebook, point, unit};
use crate::model::nn::Linear;
use crate::model::{ModelError, Result, Weights};
use candle_core::{D, DType, Module, Tensor};

/// The settings of the loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IbqLoss {
    /// The divisor of distances before they become shares of codes.
    pub temperature: f64,
    /// Weight of the part of the loss that moves codes to features.
    pub commitment: f64,
}

/// `quant_conv` and the codebook.
#[derive(Debug, Clone)]
pub struct Ibq {
    quant_conv: Linear,
    /// [codes, dim], in the form that is decoded.
    embedding: Tensor,
}

/// The result of quantizing features.
#[derive(Debug, Clone)]
pub struct Quantized {
    /// The vectors to decode: rows of the codebook, or the directions themselves, [B, N, dim].
    pub rows: Tensor,
    /// The nearest codes `[B · N]`, u32.
    pub codes: Tensor,
    /// Scalar.
    pub loss: Tensor,
}

impl Ibq {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &EncoderConfig, weights: &Weights) -> Result<Self> {
        let conv = weights.at("quant_conv");
        Ok(Self {
            quant_conv: point(&conv, config.z_channels, config.codebook_dim)?,
            embedding: codebook(config, weights)?,
        })
    }

    /// Features [B, N, Z] as directions: rows of length one, [B · N, dim].
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn directions(&self, features: &Tensor) -> Result<Tensor> {
        let (batch, length, width) = features.dims3()?;
        let features = features.reshape((batch * length, width))?;
        Ok(unit(&self.quant_conv.forward(&features)?)?)
    }

    /// Quantizes features [B, N, Z]. Samples for which `skipped` is true keep their directions, so that the
    /// decoder also learns from vectors that are not quantized.
    ///
    /// Directions and codes of length one have the squared distance 2 − 2 cos. The shares of codes are the
    /// softmax of the negative squared distances divided by the temperature. The first part of the loss moves
    /// codes and directions together through all shares. The second part moves the directions to their codes.
    /// The third part, multiplied by the commitment, moves the codes to their directions.
    ///
    /// # Errors
    /// Fails if the width is another, or if `skipped` does not have one entry for each sample.
    pub fn forward(&self, features: &Tensor, skipped: &[bool], loss: IbqLoss) -> Result<Quantized> {
        let (batch, length, _) = features.dims3()?;
        if skipped.len() != batch {
            return Err(ModelError::Input(format!(
                "`skipped` has {} entries for {batch} samples",
                skipped.len()
            )));
        }
        let z = self.directions(features)?;
        let cosines = z.matmul(&unit(&self.embedding)?.t()?)?;
        let distances = ((2.0 - (&cosines * 2.0)?)? / loss.temperature)?;
        let soft = candle_nn::ops::softmax(&distances.neg()?, D::Minus1)?;
        let codes = cosines.detach().argmax(D::Minus1)?;
        let all = Tensor::eye(self.embedding.dim(0)?, DType::F32, z.device())?;
        let hard = all.index_select(&codes, 0)?;
        let one_hot = ((&hard - soft.detach())? + &soft)?;
        let through = one_hot.matmul(&self.embedding)?;
        let nearest = hard.matmul(&self.embedding)?;
        let distance = |a: &Tensor, b: &Tensor| (a - b)?.sqr()?.mean_all();
        let parts = [
            distance(&through, &z)?,
            distance(&nearest.detach(), &z)?,
            (distance(&nearest, &z.detach())? * loss.commitment)?,
        ];
        let skips = skipped.iter().map(|skip| f32::from(u8::from(*skip)));
        let skips = Tensor::from_iter(skips, z.device())?.reshape((batch, 1, 1))?;
        let whole = |rows: &Tensor| rows.reshape((batch, length, ()));
        let (through, z) = (whole(&through)?, whole(&z)?);
        let rows = (through.broadcast_mul(&(1.0 - &skips)?)? + z.broadcast_mul(&skips)?)?;
        let [first, second, third] = &parts;
        Ok(Quantized {
            rows,
            codes,
            loss: ((first + second)? + third)?,
        })
    }
}
