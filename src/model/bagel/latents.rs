//! Latents as tokens of 2 × 2 cells, and their way into the decoder.

use super::table::{Grid, PositionTable};
use crate::model::nn::{Activation, Linear, linear};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Device, Module, Tensor};

/// Number of numbers that describe a time.
const TIME: usize = 256;

/// The side of the released table of positions. The configuration of the release says otherwise.
const SIDE: usize = 64;

/// Width of a token in the released checkpoint: 2 × 2 cells of 16 channels.
const TOKEN: usize = 64;

/// [z, 2h, 2w] → [h · w, 4z]. Within a token, the order is row, column, channel.
///
/// # Errors
/// Fails if height or width is odd.
pub fn pack(latents: &Tensor) -> Result<Tensor> {
    let (channels, height, width) = latents.dims3()?;
    let Grid { h, w } = latent_grid(latents)?;
    if (2 * h, 2 * w) != (height, width) {
        return Err(ModelError::Input(format!(
            "latents of {width} × {height} cells cannot be divided into tokens of 2 × 2"
        )));
    }
    let cells = latents.reshape(vec![channels, h, 2, w, 2])?;
    let tokens = cells.permute(vec![1, 3, 2, 4, 0])?;
    Ok(tokens.reshape((h * w, 4 * channels))?)
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
    /// Loads the tensors. `hidden` is the width of the decoder.
    pub(super) fn new(hidden: usize, weights: &Weights) -> Result<Self> {
        let stored = weights.dims("vae2llm.weight");
        let width = stored.and_then(|dims| dims.get(1).copied());
        let (width, time) = (width.unwrap_or(TOKEN), weights.at("time_embedder.mlp"));
        Ok(Self {
            vae2llm: linear(&weights.at("vae2llm"), width, hidden, true)?,
            time1: linear(&time.at(0), TIME, hidden, true)?,
            time2: linear(&time.at(2), hidden, hidden, true)?,
            positions: PositionTable::new(weights, "latent_pos_embed.pos_embed", SIDE, hidden)?,
            llm2vae: linear(&weights.at("llm2vae"), hidden, width, true)?,
            width,
            device: weights.device().clone(),
        })
    }

    /// Packed latents [B, h · w, 4z] at a time in 0 to 1, which is 0 for clean ones → tokens [B, h · w, D].
    pub(super) fn embed(&self, packed: &Tensor, grid: Grid, time: f64) -> Result<Tensor> {
        let positions = self.positions.rows(grid)?;
        let x = self.vae2llm.forward(packed)?;
        let x = x.broadcast_add(&self.time(time)?)?;
        Ok(x.broadcast_add(&positions)?)
    }

    /// States of latents [B, h · w, D] → velocities [B, h · w, 4z], which point from the picture to the
    /// noise.
    pub(super) fn velocity(&self, states: &Tensor) -> Result<Tensor> {
        Ok(self.llm2vae.forward(states)?)
    }

    /// The vector of a time, [1, D]: cosines before sines. The time is not multiplied by 1000.
    fn time(&self, time: f64) -> Result<Tensor> {
        let half = TIME / 2;
        let angle = |k: usize| time * (-(10000f64.ln()) * k as f64 / half as f64).exp();
        let cos = (0..half).map(|k| angle(k).cos() as f32);
        let sin = (0..half).map(|k| angle(k).sin() as f32);
        let values: Vec<f32> = cos.chain(sin).collect();
        let values = Tensor::from_vec(values, (1, TIME), &self.device)?;
        let inner = Activation::Silu.apply(&self.time1.forward(&values)?)?;
        Ok(self.time2.forward(&inner)?)
    }
}
