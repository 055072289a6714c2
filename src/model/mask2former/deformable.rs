//! Multi-scale deformable attention: each query attends to a few places of each map, which it chooses itself.
//!
//! Zhu et al., arXiv 2010.04159.

use crate::model::nn::{Linear, linear};
use crate::model::{Result, Weights};
use candle_core::{D, DType, Device, Module, Storage, Tensor};
use rayon::prelude::*;

/// Number of places to which a head attends in each map.
const POINTS: usize = 4;

/// A map's height and width.
pub(super) type Extent = (usize, usize);

/// The attention. Its tokens are the pixels of all maps, one map after the other, row by row.
#[derive(Debug, Clone)]
pub(super) struct DeformableAttention {
    sampling_offsets: Linear,
    attention_weights: Linear,
    value_proj: Linear,
    output_proj: Linear,
    heads: usize,
}

impl DeformableAttention {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub(super) fn new(
        weights: &Weights,
        width: usize,
        heads: usize,
        levels: usize,
    ) -> Result<Self> {
        let places = heads * levels * POINTS;
        let project = |name: &str, output: usize| linear(&weights.at(name), width, output, true);
        Ok(Self {
            sampling_offsets: project("sampling_offsets", 2 * places)?,
            attention_weights: project("attention_weights", places)?,
            value_proj: project("value_proj", width)?,
            output_proj: project("output_proj", width)?,
            heads,
        })
    }

    /// `query` and `value` [B, N, D] over maps with N pixels altogether → [B, N, D].
    ///
    /// # Errors
    /// Fails if the shapes do not fit.
    pub(super) fn forward(
        &self,
        query: &Tensor,
        value: &Tensor,
        maps: &[Extent],
    ) -> candle_core::Result<Tensor> {
        let (batch, count, width) = value.dims3()?;
        let value = self.value_proj.forward(value)?;
        let offsets = self.sampling_offsets.forward(query)?;
        let scores = self.attention_weights.forward(query)?;
        let scores = scores.reshape((batch, count, self.heads, maps.len() * POINTS))?;
        let weights = candle_nn::ops::softmax_last_dim(&scores)?;
        let seen = match (value.device(), value.dtype()) {
            (Device::Cpu, DType::F32) => {
                let of_one = |number: usize| {
                    let of = |x: &Tensor| x.get(number)?.flatten_all()?.contiguous();
                    let seen = one_pass(
                        (&of(&value)?, &of(&offsets)?, &of(&weights)?),
                        maps,
                        self.heads,
                    )?;
                    Tensor::from_vec(seen, (count, width), &Device::Cpu)
                };
                let all: Vec<Tensor> =
                    (0..batch).map(of_one).collect::<candle_core::Result<_>>()?;
                Tensor::stack(&all, 0)?
            }
            _ => by_operations(&value, &offsets, &weights, maps, self.heads)?,
        };
        self.output_proj.forward(&seen)
    }
}

/// The index of a map's first pixel among all pixels, and the sizes of the map.
struct Map {
    start: usize,
    height: usize,
    width: usize,
}

fn layout(maps: &[Extent]) -> Vec<Map> {
    let mut start = 0;
    maps.iter()
        .map(|&(height, width)| {
            let map = Map {
                start,
                height,
                width,
            };
            start += height * width;
            map
        })
        .collect()
}

/// The centre of every pixel relative to the width and height of its map, (x, y).
fn references(maps: &[Extent]) -> Vec<(f32, f32)> {
    let of_map = |&(height, width): &Extent| {
        (0..height * width).map(move |at| {
            (
                ((at % width) as f32 + 0.5) / width as f32,
                ((at / width) as f32 + 0.5) / height as f32,
            )
        })
    };
    maps.iter().flat_map(of_map).collect()
}

/// One picture on the CPU: `value` N · D, `offsets` N · heads · levels · points · 2, `weights` N · heads ·
/// levels · points → N · D.
fn one_pass(
    (value, offsets, weights): (&Tensor, &Tensor, &Tensor),
    maps: &[Extent],
    heads: usize,
) -> candle_core::Result<Vec<f32>> {
    let (value, offsets, weights) = (flat(value)?, flat(offsets)?, flat(weights)?);
    let references = references(maps);
    let layout = layout(maps);
    let width = value.len() / references.len().max(1);
    let size = width / heads;
    let places = layout.len() * POINTS;
    let mut seen = vec![0f32; value.len()];
    let queries = seen.par_chunks_mut(width).enumerate();
    queries.with_min_len(64).for_each(|(query, seen)| {
        let (x, y) = references[query];
        for (head, seen) in seen.chunks_exact_mut(size).enumerate() {
            let first = (query * heads + head) * places;
            for place in 0..places {
                let map = &layout[place / POINTS];
                let offset = 2 * (first + place);
                let at = (
                    x * map.width as f32 + offsets[offset] - 0.5,
                    y * map.height as f32 + offsets[offset + 1] - 0.5,
                );
                let pixels = &value[map.start * width..];
                add_sample(
                    seen,
                    pixels,
                    (width, head * size),
                    map,
                    at,
                    weights[first + place],
                );
            }
        }
    });
    Ok(seen)
}

/// Adds the bilinear value at a place of a map, which is zero outside the map.
fn add_sample(
    seen: &mut [f32],
    pixels: &[f32],
    (stride, start): (usize, usize),
    map: &Map,
    (x, y): (f32, f32),
    weight: f32,
) {
    let (left, top) = (x.floor(), y.floor());
    let (right_part, lower_part) = (x - left, y - top);
    let corners = [
        (0.0, 0.0, (1.0 - right_part) * (1.0 - lower_part)),
        (1.0, 0.0, right_part * (1.0 - lower_part)),
        (0.0, 1.0, (1.0 - right_part) * lower_part),
        (1.0, 1.0, right_part * lower_part),
    ];
    for (dx, dy, part) in corners {
        let (column, row) = (left + dx, top + dy);
        let inside =
            column >= 0.0 && row >= 0.0 && column < map.width as f32 && row < map.height as f32;
        if !inside {
            continue;
        }
        let pixel = (row as usize * map.width + column as usize) * stride + start;
        let share = weight * part;
        for (seen, value) in seen.iter_mut().zip(&pixels[pixel..]) {
            *seen += share * value;
        }
    }
}

fn flat(x: &Tensor) -> candle_core::Result<Vec<f32>> {
    let (storage, layout) = x.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        candle_core::bail!("this operation requires tensors in main memory");
    };
    let start = layout.start_offset();
    Ok(storage.as_slice::<f32>()?[start..start + x.elem_count()].to_vec())
}

/// The same with operations of the device, with four gathers for each map.
fn by_operations(
    value: &Tensor,
    offsets: &Tensor,
    weights: &Tensor,
    maps: &[Extent],
    heads: usize,
) -> candle_core::Result<Tensor> {
    let (batch, count, width) = value.dims3()?;
    let (device, size, levels) = (value.device(), width / heads, maps.len());
    let rows = batch * heads;
    // [B · heads · N, d]: the pixels of a head are contiguous.
    let value = value
        .reshape((batch, count, heads, size))?
        .transpose(1, 2)?
        .reshape((rows * count, size))?;
    let offsets = offsets
        .reshape(vec![batch, count, heads, levels, POINTS, 2])?
        .permute(vec![0, 2, 1, 3, 4, 5])?
        .reshape(vec![rows, count, levels, POINTS * 2])?;
    let weights = weights
        .reshape(vec![batch, count, heads, levels, POINTS])?
        .permute(vec![0, 2, 1, 3, 4])?
        .reshape((rows, count, levels, POINTS))?;
    let (x, y): (Vec<f32>, Vec<f32>) = references(maps).into_iter().unzip();
    let x = Tensor::from_vec(x, (1, count, 1), device)?;
    let y = Tensor::from_vec(y, (1, count, 1), device)?;
    let first = Tensor::arange(0u32, rows as u32, device)?.to_dtype(DType::F64)?;
    let first = (first * count as f64)?.reshape((rows, 1, 1))?;
    let mut seen = Tensor::zeros((rows, count, size), value.dtype(), device)?;
    for (level, map) in layout(maps).iter().enumerate() {
        let offsets = offsets
            .narrow(2, level, 1)?
            .reshape((rows, count, POINTS, 2))?;
        let along = |axis: usize, reference: &Tensor, length: usize| {
            let offset = offsets.narrow(3, axis, 1)?.squeeze(3)?;
            let reference = ((reference * length as f64)? - 0.5)?;
            offset.broadcast_add(&reference)
        };
        let (x, y) = (along(0, &x, map.width)?, along(1, &y, map.height)?);
        let weights = weights.narrow(2, level, 1)?.squeeze(2)?;
        let (left, top) = (x.floor()?, y.floor()?);
        let (right_part, lower_part) = ((&x - &left)?, (&y - &top)?);
        for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let axis = |start: &Tensor, step: f64, part: &Tensor, length: usize| {
                let place = (start + step)?;
                let last = length as f64 - 1.0;
                let inside = (place.ge(0.0)? * place.le(last)?)?.to_dtype(part.dtype())?;
                let part = if step > 0.0 {
                    part.clone()
                } else {
                    (1.0 - part)?
                };
                Ok::<_, candle_core::Error>((place.clamp(0.0, last)?, (inside * part)?))
            };
            let (column, across) = axis(&left, dx, &right_part, map.width)?;
            let (row, down) = axis(&top, dy, &lower_part, map.height)?;
            let pixel =
                ((row.to_dtype(DType::F64)? * map.width as f64)? + column.to_dtype(DType::F64)?)?;
            let pixel = (pixel.broadcast_add(&first)? + map.start as f64)?;
            let gathered = value
                .index_select(&pixel.flatten_all()?.to_dtype(DType::U32)?, 0)?
                .reshape((rows, count, POINTS, size))?;
            let share = (&weights * across)?.mul(&down)?.unsqueeze(D::Minus1)?;
            seen = (seen + gathered.broadcast_mul(&share)?.sum(2)?)?;
        }
    }
    seen.reshape((batch, heads, count, size))?
        .transpose(1, 2)?
        .reshape((batch, count, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parity cases test the first form. The second form, which other devices use, must agree with it.
    #[test]
    fn both_ways_of_sampling_agree() {
        let device = Device::Cpu;
        let maps = [(2, 3), (5, 4), (7, 9)];
        let (heads, width, batch) = (2, 8, 2);
        let count: usize = maps.iter().map(|(h, w)| h * w).sum();
        let value = Tensor::randn(0f32, 1., (batch, count, width), &device).unwrap();
        let places = heads * maps.len() * POINTS;
        // Far enough to leave the maps on all sides.
        let offsets = Tensor::randn(0f32, 3., (batch, count, 2 * places), &device).unwrap();
        let weights = Tensor::randn(0f32, 1., (batch, count, heads, places / heads), &device);
        let weights = candle_nn::ops::softmax_last_dim(&weights.unwrap()).unwrap();
        let second = by_operations(&value, &offsets, &weights, &maps, heads).unwrap();
        for number in 0..batch {
            let of = |x: &Tensor| x.get(number).unwrap().flatten_all().unwrap();
            let first =
                one_pass((&of(&value), &of(&offsets), &of(&weights)), &maps, heads).unwrap();
            let second: Vec<f32> = of(&second).to_vec1().unwrap();
            for (a, b) in first.iter().zip(&second) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }
}
