//! Scaled dot-product attention that never stores the whole score matrix.

use super::attention_cpu;
#[cfg(feature = "cuda")]
use super::attention_cuda;
use super::mask::Mask;
use candle_core::{D, Result, Tensor};

/// Number of scores that are stored at a time: 64 Mi, which is 256 MiB in f32.
const SCORES: usize = 1 << 26;

/// softmax(scale · q kᵀ + mask) v for q [B, heads, L, d], k and v [B, kv_heads, K, d] → [B, heads, L, d].
///
/// `heads` is a multiple of `kv_heads`. Query head h reads key head h / (heads / kv_heads). The softmax is
/// computed in f32. The queries are processed in pieces, so that the scores of a piece stay below 256 MiB.
///
/// # Errors
/// Fails if shapes do not fit.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, scale: f64, mask: Mask<'_>) -> Result<Tensor> {
    let (batch, heads, queries, size) = q.dims4()?;
    let (_, kv_heads, keys, _) = k.dims4()?;
    let group = heads / kv_heads.max(1);
    // candle computes the gradient of a trained mask.
    let learnt = matches!(mask, Mask::Add(mask) if mask.track_op());
    if attention_cpu::suits(q, k, v) && !learnt {
        // There is one query for each head: the heads of a group become the queries of their key head.
        let mask_alike = match mask {
            Mask::Add(mask) => mask.rank() == 4 && mask.dims()[1..3] == [1, 1],
            Mask::None | Mask::Causal => true,
        };
        if queries == 1 && group > 1 && mask_alike {
            let mask = match mask {
                // The last query attends to everything.
                Mask::Causal => Mask::None,
                mask => mask,
            };
            let q = q.reshape((batch, kv_heads, group, size))?;
            let seen = attention_cpu::attend(&q, k, v, scale, mask)?;
            return seen.reshape((batch, heads, 1, ()));
        }
        return attention_cpu::attend(q, k, v, scale, mask);
    }
    #[cfg(feature = "cuda")]
    if attention_cuda::suits(q, k, v, scale, mask) {
        return attention_cuda::attend(q, k, v, scale, mask);
    }
    let q = (q * scale)?;
    let kt = k.contiguous()?.transpose(2, 3)?;
    let piece = (SCORES / (batch * heads * keys).max(1)).clamp(1, queries.max(1));
    let mut parts = Vec::with_capacity(queries.div_ceil(piece.max(1)));
    let mut start = 0;
    while start < queries {
        let length = piece.min(queries - start);
        let part = q.narrow(2, start, length)?;
        // The queries with the same key head become rows of one product.
        let part = part
            .reshape((batch, kv_heads, group * length, size))?
            .contiguous()?;
        let scores = part.matmul(&kt)?.to_dtype(candle_core::DType::F32)?;
        let scores = match mask {
            Mask::None => scores,
            _ => {
                let full = scores.reshape((batch, heads, length, keys))?;
                let masked = masked(&full, mask, start, queries)?;
                masked.reshape((batch, kv_heads, group * length, keys))?
            }
        };
        let weights = if scores.track_op() {
            candle_nn::ops::softmax(&scores, D::Minus1)?
        } else {
            candle_nn::ops::softmax_last_dim(&scores)?
        };
        let weights = weights.to_dtype(v.dtype())?;
        let seen = weights.matmul(&v.contiguous()?)?;
        parts.push(seen.reshape((batch, heads, length, size))?);
        start += length;
    }
    match parts.len() {
        1 => Ok(parts.remove(0)),
        _ => Tensor::cat(&parts, 2),
    }
}

/// Adds the rows of the mask from `start`.
fn masked(scores: &Tensor, mask: Mask<'_>, start: usize, queries: usize) -> Result<Tensor> {
    let (_, _, length, keys) = scores.dims4()?;
    match mask {
        Mask::None => Ok(scores.clone()),
        Mask::Causal => {
            let before = keys - queries;
            let rows: Vec<f32> = (start..start + length)
                .flat_map(|row| {
                    (0..keys).map(move |key| {
                        if key > row + before {
                            f32::NEG_INFINITY
                        } else {
                            0.0
                        }
                    })
                })
                .collect();
            let rows = Tensor::from_vec(rows, (length, keys), scores.device())?;
            scores.broadcast_add(&rows)
        }
        Mask::Add(mask) => {
            let rows = match mask.dim(D::Minus2)? {
                1 => mask.clone(),
                _ => mask.narrow(mask.rank() - 2, start, length)?,
            };
            scores.broadcast_add(&rows.to_dtype(scores.dtype())?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device, IndexOp};

    /// Two heads over one key head, worked by the definition, one element at a time.
    #[test]
    fn grouped_causal_attention_follows_the_definition() {
        let device = Device::Cpu;
        let q = Tensor::arange(0f32, 12., &device).unwrap();
        let q = (q.reshape((1, 2, 3, 2)).unwrap() / 10.).unwrap();
        let k = Tensor::arange(0f32, 8., &device).unwrap();
        let k = (k.reshape((1, 1, 4, 2)).unwrap() / 7.).unwrap();
        let v = (&k + 1.).unwrap();
        let got = attention(&q, &k, &v, 0.5, Mask::Causal).unwrap();
        let (qs, ks): (Vec<Vec<f32>>, Vec<Vec<f32>>) = (
            q.reshape((6, 2)).unwrap().to_vec2().unwrap(),
            k.i((0, 0)).unwrap().to_vec2().unwrap(),
        );
        for head in 0..2 {
            for row in 0..3 {
                let query = &qs[head * 3 + row];
                let weights: Vec<f32> = ks[..row + 2]
                    .iter()
                    .map(|key| (0.5 * (query[0] * key[0] + query[1] * key[1])).exp())
                    .collect();
                let total: f32 = weights.iter().sum();
                let want: f32 = weights
                    .iter()
                    .zip(&ks)
                    .map(|(w, key)| w * (key[0] + 1.))
                    .sum();
                let seen: f32 = got.i((0, head, row, 0)).unwrap().to_scalar().unwrap();
                assert!((seen - want / total).abs() < 1e-5, "{head} {row}");
            }
        }
        assert_eq!(got.dtype(), DType::F32);
    }
}
