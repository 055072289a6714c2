//! Matching of units regardless of their order.

use std::collections::HashMap;
use std::hash::Hash;

/// How much of a reference was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<T> {
    /// Size of the multiset intersection: Σ min(count in the reference, count in the found units).
    pub matched: usize,
    /// The unmatched units of the reference, in its order.
    pub missing: Vec<T>,
}

/// Matches every unit of `reference` with an equal unit of `found` that is not yet used.
pub fn intersect<T: Eq + Hash + Copy>(
    reference: impl IntoIterator<Item = T>,
    found: impl IntoIterator<Item = T>,
) -> Match<T> {
    let mut unused: HashMap<T, usize> = HashMap::new();
    for unit in found {
        *unused.entry(unit).or_default() += 1;
    }
    let mut result = Match {
        matched: 0,
        missing: Vec::new(),
    };
    for unit in reference {
        match unused.get_mut(&unit) {
            Some(count) if *count > 0 => {
                *count -= 1;
                result.matched += 1;
            }
            _ => result.missing.push(unit),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_used_once() {
        let result = intersect(["a", "a", "b"], ["a", "c", "b", "b"]);
        assert_eq!(result.matched, 2);
        assert_eq!(result.missing, ["a"]);
    }
}
