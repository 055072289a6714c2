//! Seeds and fingerprints: what makes a run repeatable, regardless of its order, shards or interruptions.

use crate::files::hex;
use crate::record::Item;
use sha2::{Digest, Sha256};

/// The seed of one output, derived from (run seed, item id, repeat).
///
/// 32 bits, since that is what `torch.randn`'s Mersenne twister sees of a seed, and since every JSON reader
/// keeps such a number exactly.
pub fn derive_seed(run_seed: u64, item: &str, repeat: u32) -> u64 {
    let mut hash = Sha256::new();
    hash.update(run_seed.to_le_bytes());
    hash.update(repeat.to_le_bytes());
    hash.update(item.as_bytes());
    let digest = hash.finalize();
    u64::from(u32::from_le_bytes([
        digest[0], digest[1], digest[2], digest[3],
    ]))
}

/// 16 hex digits over length-prefixed parts: equal exactly when all parts are equal.
pub(super) fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..8])
}

/// Fingerprint of an item as asked, with the bytes of its input images: the first half of a sha256, as there
/// may be a million of them.
///
/// # Errors
/// Fails if the item has no JSON form.
pub(super) fn item_fingerprint(
    item: &Item,
    image_hashes: &[String],
) -> serde_json::Result<[u8; 16]> {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(item)?);
    hash.update(image_hashes.join(","));
    let digest = hash.finalize();
    Ok(std::array::from_fn(|at| digest[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    // python3 -c "import hashlib,struct; print(struct.unpack('<I', hashlib.sha256(struct.pack('<QI', 42, 1) +
    // b'00017').digest()[:4])[0])"
    #[test]
    fn seeds_equal_the_documented_formula() {
        assert_eq!(derive_seed(42, "00017", 1), SEED_42_00017_1);
        assert_ne!(derive_seed(42, "00017", 0), derive_seed(42, "00017", 1));
        assert_ne!(derive_seed(42, "00017", 0), derive_seed(43, "00017", 0));
    }

    const SEED_42_00017_1: u64 = 2424346965;

    #[test]
    fn fingerprints_do_not_confuse_where_a_part_ends() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
    }
}
