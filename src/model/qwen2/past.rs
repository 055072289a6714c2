//! The keys and values of earlier positions in a layer.

use candle_core::{Result, Tensor};
use candle_nn::kv_cache::KvCache;

/// Keys and values [B, kv_heads, L, d] of one layer, in memory that grows in steps.
#[derive(Debug, Clone)]
pub struct Past(KvCache);

/// The axis of positions.
const POSITIONS: usize = 2;

impl Past {
    /// An empty past with room for this number of positions. It grows by the same number.
    pub fn with_room(positions: usize) -> Self {
        Self(KvCache::new(POSITIONS, positions.max(1)))
    }

    /// Adds positions, and returns all keys and values so far.
    ///
    /// # Errors
    /// Fails if the shapes differ from before, or the device has no room.
    pub fn append(&mut self, k: &Tensor, v: &Tensor) -> Result<(Tensor, Tensor)> {
        self.0.append(&k.contiguous()?, &v.contiguous()?)
    }

    /// One past of several sequences [1, ...] as a batch. Shorter ones are padded with zeros at the start.
    /// `room` is the room of the result.
    ///
    /// # Errors
    /// Fails if one is empty or has other heads, or the device has no room.
    pub fn join(sequences: &[&Self], room: usize) -> Result<Self> {
        let lengths = sequences.iter().map(|past| past.0.current_seq_len());
        let longest = lengths.max().unwrap_or(0);
        let batch = |of: fn(&KvCache) -> Result<Option<Tensor>>| {
            let rows = sequences.iter().map(|past| match of(&past.0)? {
                Some(rows) => rows.pad_with_zeros(POSITIONS, longest - rows.dim(POSITIONS)?, 0),
                None => candle_core::bail!("a sequence without positions cannot join a batch"),
            });
            Tensor::cat(&rows.collect::<Result<Vec<_>>>()?, 0)
        };
        let mut joined = Self::with_room(room.max(longest));
        joined.append(&batch(KvCache::k)?, &batch(KvCache::v)?)?;
        Ok(joined)
    }
}
