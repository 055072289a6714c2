//! What the generators of the miniature world share.

use crate::record::Tags;

/// The seed of the choices of all these generators.
pub(super) const SEED: u64 = 20_260_101;

/// The tags of an item.
pub(super) fn tags<const N: usize>(pairs: [(&str, &str); N]) -> Tags {
    Tags::from_iter(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())))
}
