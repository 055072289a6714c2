//! Attention on a CPU in f32: a head and some of its queries at a time on every core, on tensors as they lie in memory.
//!
//! candle's product takes one head after the other, each on all cores, and wants copies in another order.

use super::Mask;
use super::product::{filled, product};
use super::sigmoid::softmax_rows;
use candle_core::{D, DType, Device, Result, Storage, Tensor};
use gemm::Parallelism;
use rayon::prelude::*;

/// Scores that a core holds at a time: 2 Mi, 8 MiB.
const SCORES: usize = 1 << 21;

/// Whether tensors can be attended here.
pub fn suits(q: &Tensor, k: &Tensor, v: &Tensor) -> bool {
    let plain = |x: &Tensor| matches!(x.device(), Device::Cpu) && x.dtype() == DType::F32;
    plain(q) && plain(k) && plain(v) && q.elem_count() > 0 && k.elem_count() > 0
}

/// A tensor of four axes in main memory, with the strides it has.
struct View<'a> {
    values: &'a [f32],
    dims: [usize; 4],
    strides: [usize; 4],
}

impl<'a> View<'a> {
    fn new(storage: &'a Storage, layout: &candle_core::Layout) -> Result<Self> {
        let Storage::Cpu(storage) = storage else {
            candle_core::bail!("only tensors in main memory are read");
        };
        let (Ok(dims), Ok(strides)) = (layout.dims().try_into(), layout.stride().try_into()) else {
            candle_core::bail!("attention takes four axes, not {:?}", layout.dims());
        };
        Ok(Self {
            values: &storage.as_slice::<f32>()?[layout.start_offset()..],
            dims,
            strides,
        })
    }

    /// The rows of one head, from `start`.
    fn head(&self, batch: usize, head: usize, start: usize) -> &'a [f32] {
        let [b, h, row, _] = self.strides;
        &self.values[batch * b + head * h + start * row..]
    }

    /// Fails where a product would read beyond the values.
    fn check(&self) -> Result<()> {
        let last = self.dims.iter().zip(self.strides);
        let last: usize = last.map(|(dim, stride)| (dim - 1) * stride).sum();
        match last < self.values.len() {
            true => Ok(()),
            false => candle_core::bail!("a tensor's layout is larger than its memory"),
        }
    }
}

/// A head of one sequence and some of its queries.
#[derive(Clone, Copy)]
struct Task {
    batch: usize,
    head: usize,
    start: usize,
    length: usize,
}

/// As [`super::attention`], for tensors that [`suits`]. The result is a view of [B, L, heads, d].
pub fn attend(q: &Tensor, k: &Tensor, v: &Tensor, scale: f64, mask: Mask<'_>) -> Result<Tensor> {
    let (batch, heads, queries, _) = q.dims4()?;
    let (_, kv_heads, keys, size) = v.dims4()?;
    let mask_rows = match mask {
        Mask::Add(mask) => {
            let full = (batch, heads, queries, keys);
            Some(mask.to_dtype(DType::F32)?.broadcast_as(full)?)
        }
        _ => None,
    };
    let added = mask_rows.as_ref().map(Tensor::storage_and_layout);
    let added = (added.as_ref())
        .map(|(storage, layout)| View::new(storage, layout))
        .transpose()?;
    let (q_store, q_layout) = q.storage_and_layout();
    let (k_store, k_layout) = k.storage_and_layout();
    let (v_store, v_layout) = v.storage_and_layout();
    let q_view = View::new(&q_store, q_layout)?;
    let k_view = View::new(&k_store, k_layout)?;
    let v_view = View::new(&v_store, v_layout)?;
    for view in [&q_view, &k_view, &v_view].into_iter().chain(&added) {
        view.check()?;
    }
    if q.dim(D::Minus1)? != k.dim(D::Minus1)? || k.dim(2)? != keys || kv_heads == 0 {
        candle_core::bail!(
            "queries {:?}, keys {:?} and values {:?}",
            q.dims(),
            k.dims(),
            v.dims()
        );
    }
    let causal = matches!(mask, Mask::Causal);
    let group = (heads / kv_heads).max(1);
    let tasks = tasks(batch, heads, queries, keys);
    let pieces: Vec<Vec<f32>> = tasks
        .par_iter()
        .map(|task| {
            let Task {
                batch,
                head,
                start,
                length,
            } = *task;
            let mut scores = filled(length * keys, |scores| {
                product(
                    (length, keys, q_view.dims[3]),
                    (scores, keys),
                    (
                        q_view.head(batch, head, start),
                        q_view.strides[2],
                        q_view.strides[3],
                    ),
                    // The keys lie row by row: their transpose is read.
                    (
                        k_view.head(batch, head / group, 0),
                        k_view.strides[3],
                        k_view.strides[2],
                    ),
                    scale as f32,
                    Parallelism::None,
                )
            });
            if causal {
                for (row, scores) in scores.chunks_exact_mut(keys).enumerate() {
                    let seen = (start + row + 1 + keys).saturating_sub(queries);
                    scores[seen.min(keys)..].fill(f32::NEG_INFINITY);
                }
            }
            if let Some(added) = &added {
                let (rows, step) = (added.head(batch, head, start), added.strides[3]);
                for (row, scores) in scores.chunks_exact_mut(keys).enumerate() {
                    let added = &rows[row * added.strides[2]..];
                    let each = scores.iter_mut().enumerate();
                    each.for_each(|(key, score)| *score += added[key * step]);
                }
            }
            softmax_rows(&mut scores, keys);
            filled(length * size, |seen| {
                product(
                    (length, size, keys),
                    (seen, size),
                    (&scores, keys, 1),
                    (
                        v_view.head(batch, head / group, 0),
                        v_view.strides[2],
                        v_view.strides[3],
                    ),
                    1.0,
                    Parallelism::None,
                )
            })
        })
        .collect();
    let mut out = vec![0f32; batch * queries * heads * size];
    for (task, piece) in tasks.iter().zip(&pieces) {
        for (row, seen) in piece.chunks_exact(size).enumerate() {
            let query = task.batch * queries + task.start + row;
            let to = (query * heads + task.head) * size;
            out[to..to + size].copy_from_slice(seen);
        }
    }
    Tensor::from_vec(out, (batch, queries, heads, size), &Device::Cpu)?.transpose(1, 2)
}

/// Enough of them for all cores, each with few enough scores.
fn tasks(batch: usize, heads: usize, queries: usize, keys: usize) -> Vec<Task> {
    let wanted = 2 * rayon::current_num_threads();
    let split = wanted.div_ceil((batch * heads).max(1));
    let few = (SCORES / keys.max(1)).max(1);
    let length = queries.div_ceil(split).clamp(1, few);
    let mut tasks = Vec::new();
    for batch in 0..batch {
        for head in 0..heads {
            tasks.extend((0..queries).step_by(length).map(|start| Task {
                batch,
                head,
                start,
                length: length.min(queries - start),
            }));
        }
    }
    tasks
}
