//! Attention on a CPU in f32: each core computes a head and some of its queries at a time, on tensors without
//! a copy.
//!
//! candle's product computes one head after the other, each on all cores, and requires copies in another
//! order.

use super::mask::Mask;
use super::memory::{read, together};
use super::product::{Matrix, filled, product};
use super::sigmoid::softmax_rows;
use candle_core::{CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Storage, Tensor};
use gemm::Parallelism;
use rayon::prelude::*;

/// Number of scores that a core stores at a time: 2 Mi, which is 8 MiB.
const SCORES: usize = 1 << 21;

/// Whether this module supports the tensors.
pub(crate) fn suits(q: &Tensor, k: &Tensor, v: &Tensor) -> bool {
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
    fn new(storage: &'a CpuStorage, layout: &Layout) -> Result<Self> {
        let (Ok(dims), Ok(strides)) = (layout.dims().try_into(), layout.stride().try_into()) else {
            candle_core::bail!("attention requires four axes, not {:?}", layout.dims());
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

    /// Fails if a product would read beyond the values.
    fn check(&self) -> Result<()> {
        let last = self.dims.iter().zip(self.strides);
        let last: usize = last.map(|(dim, stride)| (dim - 1) * stride).sum();
        if last < self.values.len() {
            Ok(())
        } else {
            candle_core::bail!("a tensor's layout is larger than its memory")
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

/// The same as [`super::attention`], for tensors that [`suits`] accepts. The result is a view of [B, L,
/// heads, d].
pub(crate) fn attend(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    scale: f64,
    mask: Mask<'_>,
) -> Result<Tensor> {
    let (batch, heads, queries, _) = q.dims4()?;
    let keys = k.dim(2)?;
    let added = match mask {
        Mask::Add(mask) => {
            let full = (batch, heads, queries, keys);
            Some(mask.to_dtype(DType::F32)?.broadcast_as(full)?)
        }
        _ => None,
    };
    let attend = Attend {
        scale: scale as f32,
        causal: matches!(mask, Mask::Causal),
        added,
    };
    q.apply_op3(k, v, attend)?.transpose(1, 2)
}

/// The operation: queries [B, H, Q, d], keys [B, K, L, d] and values [B, K, L, e] give [B, Q, H, e].
struct Attend {
    scale: f32,
    causal: bool,
    /// [B, H, Q, L], added to the scores.
    added: Option<Tensor>,
}

impl Attend {
    /// The weights of some queries of one head, row by row.
    fn weights(
        &self,
        task: &Task,
        (q, k): (&View<'_>, &View<'_>),
        added: Option<&View<'_>>,
    ) -> Vec<f32> {
        let Task {
            batch,
            head,
            start,
            length,
        } = *task;
        let (queries, keys) = (q.dims[2], k.dims[2]);
        let key_head = head / (q.dims[1] / k.dims[1]).max(1);
        let mut scores = filled(length * keys, |scores| {
            product(
                (length, keys, q.dims[3]),
                (scores, keys),
                (q.head(batch, head, start), q.strides[2], q.strides[3]),
                // The keys are stored row by row, so their transpose is read.
                (k.head(batch, key_head, 0), k.strides[3], k.strides[2]),
                self.scale,
                Parallelism::None,
            )
        });
        if self.causal {
            for (row, scores) in scores.chunks_exact_mut(keys).enumerate() {
                let seen = (start + row + 1 + keys).saturating_sub(queries);
                scores[seen.min(keys)..].fill(f32::NEG_INFINITY);
            }
        }
        if let Some(added) = added {
            let (rows, step) = (added.head(batch, head, start), added.strides[3]);
            for (row, scores) in scores.chunks_exact_mut(keys).enumerate() {
                let added = &rows[row * added.strides[2]..];
                let each = scores.iter_mut().enumerate();
                each.for_each(|(key, score)| *score += added[key * step]);
            }
        }
        softmax_rows(&mut scores, keys);
        scores
    }

    /// The mask that is added.
    fn with_added<T>(&self, work: impl FnOnce(Option<&View<'_>>) -> Result<T>) -> Result<T> {
        let Some(added) = &self.added else {
            return work(None);
        };
        let (storage, layout) = added.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else {
            candle_core::bail!("this operation requires a mask in main memory");
        };
        let view = View::new(storage, layout)?;
        view.check()?;
        work(Some(&view))
    }

    fn forward(&self, q: &View<'_>, k: &View<'_>, v: &View<'_>) -> Result<Vec<f32>> {
        let [batch, heads, queries, width] = q.dims;
        let [_, kv_heads, keys, size] = v.dims;
        for view in [q, k, v] {
            view.check()?;
        }
        if width != k.dims[3] || k.dims[1..3] != v.dims[1..3] || kv_heads == 0 {
            candle_core::bail!(
                "queries {:?}, keys {:?} and values {:?}",
                q.dims,
                k.dims,
                v.dims
            );
        }
        let group = (heads / kv_heads).max(1);
        let tasks = tasks(batch, heads, queries, keys);
        let pieces: Vec<Vec<f32>> = self.with_added(|added| {
            // A task computes some dozens of products in the time of one number elsewhere.
            let most = tasks.first().map_or(0, |task| task.length * keys * size) / 32;
            let pieces = tasks.par_iter().with_min_len(together(most)).map(|task| {
                let weights = self.weights(task, (q, k), added);
                filled(task.length * size, |seen| {
                    product(
                        (task.length, size, keys),
                        (seen, size),
                        (&weights, keys, 1),
                        (
                            v.head(task.batch, task.head / group, 0),
                            v.strides[2],
                            v.strides[3],
                        ),
                        1.0,
                        Parallelism::None,
                    )
                })
            });
            Ok(pieces.collect())
        })?;
        let mut out = vec![0f32; batch * queries * heads * size];
        for (task, piece) in tasks.iter().zip(&pieces) {
            for (row, seen) in piece.chunks_exact(size).enumerate() {
                let query = task.batch * queries + task.start + row;
                let to = (query * heads + task.head) * size;
                out[to..to + size].copy_from_slice(seen);
            }
        }
        Ok(out)
    }

    /// The gradients of queries, keys and values, head by head. `grad` is [B, Q, H, e]. The queries of a key
    /// head are processed in order, so that sums are equal on any number of cores.
    fn gradients(
        &self,
        q: &View<'_>,
        k: &View<'_>,
        v: &View<'_>,
        grad: &[f32],
    ) -> Result<[Vec<f32>; 3]> {
        let [_, heads, queries, d] = q.dims;
        let [batch, kv_heads, keys, e] = v.dims;
        let group = (heads / kv_heads).max(1);
        let mut of_q = vec![0f32; batch * heads * queries * d];
        let mut of_k = vec![0f32; batch * kv_heads * keys * d];
        let mut of_v = vec![0f32; batch * kv_heads * keys * e];
        self.with_added(|added| {
            let of_keys = of_k.par_chunks_exact_mut(keys * d);
            of_q.par_chunks_exact_mut(group * queries * d)
                .zip(of_keys.zip(of_v.par_chunks_exact_mut(keys * e)))
                .enumerate()
                .for_each(|(number, (of_q, (of_k, of_v)))| {
                    let (batch, key_head) = (number / kv_heads, number % kv_heads);
                    for (place, of_q) in of_q.chunks_exact_mut(queries * d).enumerate() {
                        let task = Task {
                            batch,
                            head: key_head * group + place,
                            start: 0,
                            length: queries,
                        };
                        let weights = self.weights(&task, (q, k), added);
                        let from = (batch * queries * heads + task.head) * e;
                        let grad = (&grad[from..], heads * e, 1);
                        let v = (v.head(batch, key_head, 0), v.strides[3], v.strides[2]);
                        let scores = score_gradients(&weights, (queries, keys, e), grad, v);
                        // Weights and scores are [Q, L].
                        let turned = |values| (values, 1, keys);
                        add((keys, e, queries), of_v, turned(&weights[..]), grad, 1.0);
                        let q = (q.head(batch, task.head, 0), q.strides[2], q.strides[3]);
                        add((keys, d, queries), of_k, turned(&scores[..]), q, self.scale);
                        let k = (k.head(batch, key_head, 0), k.strides[2], k.strides[3]);
                        add((queries, d, keys), of_q, (&scores, keys, 1), k, self.scale);
                    }
                });
            Ok(())
        })?;
        Ok([of_q, of_k, of_v])
    }
}

/// Adds a product to the values in memory.
fn add(sizes: (usize, usize, usize), to: &mut [f32], lhs: Matrix<'_>, rhs: Matrix<'_>, scale: f32) {
    let (m, n, _) = sizes;
    let values = filled(m * n, |out| {
        product(sizes, (out, n), lhs, rhs, scale, Parallelism::None);
    });
    to.iter_mut().zip(values).for_each(|(to, x)| *to += x);
}

/// The gradient of the softmax: weights · (g − Σ g · weights) of each row, with g = gradient · valuesᵀ.
fn score_gradients(
    weights: &[f32],
    (queries, keys, size): (usize, usize, usize),
    grad: Matrix<'_>,
    turned_values: Matrix<'_>,
) -> Vec<f32> {
    let mut scores = filled(queries * keys, |out| {
        let sizes = (queries, keys, size);
        product(
            sizes,
            (out, keys),
            grad,
            turned_values,
            1.0,
            Parallelism::None,
        );
    });
    let rows = scores
        .chunks_exact_mut(keys)
        .zip(weights.chunks_exact(keys));
    for (row, weights) in rows {
        let level: f32 = row.iter().zip(weights).map(|(g, w)| g * w).sum();
        row.iter_mut()
            .zip(weights)
            .for_each(|(g, w)| *g = w * (*g - level));
    }
    scores
}

impl CustomOp3 for Attend {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        k: &CpuStorage,
        k_layout: &Layout,
        v: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (q, k) = (View::new(q, q_layout)?, View::new(k, k_layout)?);
        let v = View::new(v, v_layout)?;
        let out = self.forward(&q, &k, &v)?;
        let shape = (q.dims[0], q.dims[2], q.dims[1], v.dims[3]);
        Ok((CpuStorage::F32(out), shape.into()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (q_store, q_layout) = q.storage_and_layout();
        let (k_store, k_layout) = k.storage_and_layout();
        let (v_store, v_layout) = v.storage_and_layout();
        let (Storage::Cpu(q_store), Storage::Cpu(k_store), Storage::Cpu(v_store)) =
            (&*q_store, &*k_store, &*v_store)
        else {
            candle_core::bail!("this operation requires tensors in main memory");
        };
        let q_view = View::new(q_store, q_layout)?;
        let k_view = View::new(k_store, k_layout)?;
        let v_view = View::new(v_store, v_layout)?;
        let grads = read(grad, |grad| self.gradients(&q_view, &k_view, &v_view, grad))?;
        let [of_q, of_k, of_v] = grads;
        let like = |values: Vec<f32>, x: &Tensor| {
            Tensor::from_vec(values, x.shape(), &Device::Cpu).map(Some)
        };
        Ok((like(of_q, q)?, like(of_k, k)?, like(of_v, v)?))
    }
}

/// The tasks: enough for all cores, and each with few enough scores.
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
