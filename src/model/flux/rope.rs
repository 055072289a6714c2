//! Rotary positions over several axes. Every axis rotates its own part of a head.

use crate::model::{ModelError, Result};
use candle_core::{DType, Device, Tensor};
use unigauge_kernels::{Pairs, rotary};

const THETA: f64 = 10_000.0;

/// Cosine and sine of every angle, [L, d / 2] in f32.
#[derive(Debug, Clone)]
pub struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// Tables for the tokens whose ids are given, [L, axes]; `axes` contains the number of elements that each
    /// column rotates. Angles are computed in f64, since a large position times a frequency loses digits in
    /// f32.
    ///
    /// # Errors
    /// Fails if the number of columns is not the number of axes.
    pub fn new(ids: &Tensor, axes: &[usize], device: &Device) -> Result<Self> {
        Self::with_theta(ids, axes, THETA, device)
    }

    /// The same as [`Self::new`] with another base of the angles.
    ///
    /// # Errors
    /// Fails when [`Self::new`] fails.
    pub fn with_theta(ids: &Tensor, axes: &[usize], theta: f64, device: &Device) -> Result<Self> {
        let (length, columns) = ids.dims2()?;
        if columns != axes.len() {
            return Err(ModelError::Input(format!(
                "position ids of {columns} columns for {} axes",
                axes.len()
            )));
        }
        let ids: Vec<Vec<f64>> = ids.to_dtype(DType::F64)?.to_vec2()?;
        let half = axes.iter().sum::<usize>() / 2;
        let angles: Vec<f64> = ids
            .iter()
            .flat_map(|row| row.iter().zip(axes))
            .flat_map(|(&position, &size)| {
                (0..size / 2).map(move |i| position / theta.powf(2.0 * i as f64 / size as f64))
            })
            .collect();
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = angles.iter().map(|&angle| f(angle) as f32).collect();
            Tensor::from_vec(values, (length, half), device)
        };
        Ok(Self {
            cos: table(f64::cos)?,
            sin: table(f64::sin)?,
        })
    }

    /// Number of positions.
    pub fn length(&self) -> usize {
        self.cos.dims()[0]
    }

    /// Rotates neighbouring pairs of elements, in f32. x is [B, L, heads, d].
    ///
    /// # Errors
    /// Fails if L or d is not that of the tables.
    pub fn apply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        rotary(x, &self.cos, &self.sin, Pairs::Neighbours)
    }
}
