//! Latents as tokens of 2 × 2 cells, and their way into the decoder.

use super::config::LatentShape;
use super::table::{Grid, PositionTable};
use crate::model::nn::{Activation, Linear, linear};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Device, Module, Tensor};

/// Number of numbers that describe a time.
const TIME: usize = 256;

/// [z, 2h, 2w] → [h · w, 4z]. Within a token, the order is row, column, channel.
///
/// # Errors
/// Fails if height or width is odd.
pub fn pack(latents: &Tensor) -> Result<Tensor> {
    Ok(pack_all(&latents.unsqueeze(0)?)?.squeeze(0)?)
}

/// The same for several pictures: [B, z, 2h, 2w] → [B, h · w, 4z].
///
/// # Errors
/// Fails if height or width is odd.
pub fn pack_all(latents: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = latents.dims4()?;
    let (h, w) = (height / 2, width / 2);
    if (2 * h, 2 * w) != (height, width) {
        return Err(ModelError::Input(format!(
            "latents of {width} × {height} cells cannot be divided into tokens of 2 × 2"
        )));
    }
    let cells = latents.reshape(vec![batch, channels, h, 2, w, 2])?;
    let tokens = cells.permute(vec![0, 2, 4, 3, 5, 1])?;
    Ok(tokens.reshape((batch, h * w, 4 * channels))?)
}

/// [B, h · w, 4z] → [B, z, 2h, 2w].
///
/// # Errors
/// Fails if the tokens are not those of the grid, or their width is not a multiple of four.
pub fn unpack(tokens: &Tensor, Grid { h, w }: Grid) -> Result<Tensor> {
    let (batch, length, width) = tokens.dims3()?;
    if length != h * w || width % 4 != 0 {
        return Err(ModelError::Input(format!(
            "{length} tokens of width {width} do not form a grid of {w} × {h} tokens of 2 × 2 cells"
        )));
    }
    let channels = width / 4;
    let cells = tokens.reshape(vec![batch, h, w, 2, 2, channels])?;
    let latents = cells.permute(vec![0, 5, 1, 3, 2, 4])?;
    Ok(latents.reshape((batch, channels, 2 * h, 2 * w))?)
}

/// The size in tokens of latents [z, 2h, 2w].
///
/// # Errors
/// Fails if there are not three axes.
pub fn latent_grid(latents: &Tensor) -> Result<Grid> {
    let (_, height, width) = latents.dims3()?;
    Ok(Grid {
        h: height / 2,
        w: width / 2,
    })
}

/// `vae2llm`, `time_embedder`, `latent_pos_embed` and `llm2vae`, in f32.
pub(super) struct Latents {
    vae2llm: Linear,
    time1: Linear,
    time2: Linear,
    positions: PositionTable,
    llm2vae: Linear,
    /// Width of a token.
    pub(super) width: usize,
    device: Device,
}

impl Latents {
    /// Loads the tensors. `hidden` is the width of the decoder. `shape` has the sizes that no tensor shows.
    pub(super) fn new(hidden: usize, shape: LatentShape, weights: &Weights) -> Result<Self> {
        let stored = weights.dims("vae2llm.weight");
        let width = stored.and_then(|dims| dims.get(1).copied());
        let width = width.unwrap_or(shape.token_width);
        let time = weights.at("time_embedder.mlp");
        let positions = "latent_pos_embed.pos_embed";
        Ok(Self {
            vae2llm: linear(&weights.at("vae2llm"), width, hidden, true)?,
            time1: linear(&time.at(0), TIME, hidden, true)?,
            time2: linear(&time.at(2), hidden, hidden, true)?,
            positions: PositionTable::new(weights, positions, shape.side, hidden)?,
            llm2vae: linear(&weights.at("llm2vae"), hidden, width, true)?,
            width,
            device: weights.device().clone(),
        })
    }

    /// Packed latents [B, h · w, 4z] → tokens [B, h · w, D]. There is one time in 0 to 1 for all pictures, or
    /// one for each. It is 0 for clean latents.
    pub(super) fn embed(&self, packed: &Tensor, grid: Grid, times: &[f64]) -> Result<Tensor> {
        let positions = self.positions.rows(grid)?;
        let x = self.vae2llm.forward(packed)?;
        let x = x.broadcast_add(&self.times(times)?.unsqueeze(1)?)?;
        Ok(x.broadcast_add(&positions)?)
    }

    /// States of latents [B, h · w, D] → velocities [B, h · w, 4z], which point from the picture to the
    /// noise.
    pub(super) fn velocity(&self, states: &Tensor) -> Result<Tensor> {
        Ok(self.llm2vae.forward(states)?)
    }

    /// The vectors of times, [times, D]: cosines before sines. A time is not multiplied by 1000.
    fn times(&self, times: &[f64]) -> Result<Tensor> {
        let half = TIME / 2;
        let angle = |time: f64, k: usize| {
            let frequency = (-(10000f64.ln()) * k as f64 / half as f64).exp();
            time * frequency
        };
        let values = times.iter().flat_map(|&time| {
            let cos = (0..half).map(move |k| angle(time, k).cos() as f32);
            cos.chain((0..half).map(move |k| angle(time, k).sin() as f32))
        });
        let values: Vec<f32> = values.collect();
        let values = Tensor::from_vec(values, (times.len(), TIME), &self.device)?;
        let inner = Activation::Silu.apply(&self.time1.forward(&values)?)?;
        Ok(self.time2.forward(&inner)?)
    }
}
