//! The relative position of a key and a query, as a bias of the scores.

use super::T5Config;
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Tensor};

/// The table of a stack's first block, which all its blocks use.
#[derive(Debug, Clone)]
pub(super) struct RelativeBias {
    /// [buckets, heads]
    table: Tensor,
    buckets: usize,
    max_distance: usize,
    /// Whether this is a decoder, in which a query does not attend to later positions.
    causal: bool,
}

impl RelativeBias {
    /// The table of the stack (`encoder` or `decoder`) at `weights`.
    pub(super) fn new(config: &T5Config, weights: &Weights, causal: bool) -> Result<Self> {
        if config.relative_attention_num_buckets < 4 {
            return Err(ModelError::Input(
                "T5 config.json: `relative_attention_num_buckets` must be 4 or more".into(),
            ));
        }
        let first = weights.at("block.0.layer.0.SelfAttention.relative_attention_bias");
        Ok(Self {
            table: first.get(
                "weight",
                (config.relative_attention_num_buckets, config.num_heads),
            )?,
            buckets: config.relative_attention_num_buckets,
            max_distance: config.relative_attention_max_distance,
            causal,
        })
    }

    /// [1, heads, L, L] in f32. Positions to which a decoder must not attend have −∞.
    pub(super) fn for_length(&self, length: usize) -> Result<Tensor> {
        let device = self.table.device();
        let distances = (0..length)
            .flat_map(|query| (0..length).map(move |key| key as i64 - query as i64))
            .collect::<Vec<_>>();
        let buckets: Vec<u32> = (distances.iter())
            .map(|distance| bucket(*distance, self.buckets, self.max_distance, self.causal))
            .collect();
        let buckets = Tensor::from_vec(buckets, length * length, device)?;
        let rows = self.table.to_dtype(DType::F32)?.index_select(&buckets, 0)?;
        let bias = rows
            .reshape((1, length, length, ()))?
            .permute((0, 3, 1, 2))?
            .contiguous()?;
        if !self.causal {
            return Ok(bias);
        }
        let unseen: Vec<f32> = (distances.iter())
            .map(|distance| {
                if *distance > 0 {
                    f32::NEG_INFINITY
                } else {
                    0.0
                }
            })
            .collect();
        let unseen = Tensor::from_vec(unseen, (1, 1, length, length), device)?;
        Ok(bias.broadcast_add(&unseen)?)
    }
}

/// The bucket of a signed distance: the lower half of a direction's buckets is exact, and the rest is
/// logarithmic up to `max_distance`. An encoder has half of the buckets for each direction, and a decoder has
/// only one direction.
fn bucket(distance: i64, buckets: usize, max_distance: usize, causal: bool) -> u32 {
    let (offset, range, distance) = match (causal, distance > 0) {
        (true, ahead) => (0, buckets, if ahead { 0 } else { distance }),
        (false, true) => (buckets / 2, buckets / 2, distance),
        (false, false) => (0, buckets / 2, distance),
    };
    let distance = distance.unsigned_abs() as usize;
    let exact = range / 2;
    let own = if distance < exact {
        distance
    } else {
        let ratio =
            (distance as f32 / exact as f32).ln() / (max_distance as f32 / exact as f32).ln();
        (exact + (ratio * (range - exact) as f32) as usize).min(range - 1)
    };
    (offset + own) as u32
}
