//! The mask of an attention.

use candle_core::Tensor;

/// The keys to which a query attends.
#[derive(Debug, Clone, Copy)]
pub enum Mask<'a> {
    /// All of them.
    None,
    /// The keys up to the position of the query. The last query is at the position of the last key.
    Causal,
    /// A tensor that is added to the scores. It broadcasts to [B, heads, L, K].
    Add(&'a Tensor),
}
