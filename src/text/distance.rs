//! Levenshtein distance over any units, such as characters or words.

/// The least number of insertions, deletions and substitutions that turn `a` into `b`.
pub fn levenshtein<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    // A common beginning and end need no edit. Most answers are nearly right, so this is most of the work.
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    strsim::generic_levenshtein(
        &Units(&a[..a.len() - suffix]),
        &Units(&b[..b.len() - suffix]),
    )
}

/// The Levenshtein distance of characters divided by the length of the longer text, in 0..=1. It is 0 for two
/// empty texts.
pub fn normalised(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longer = a.len().max(b.len());
    if longer == 0 {
        return 0.0;
    }
    levenshtein(&a, &b) as f64 / longer as f64
}

/// Passes a slice to `strsim`, which requires a sized type whose reference is iterable.
struct Units<'a, T>(&'a [T]);

impl<'a, T> IntoIterator for &Units<'a, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The textbook recurrence, as slow and plain as can be.
    fn textbook(a: &[char], b: &[char]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([x, a_rest @ ..], [y, b_rest @ ..]) => {
                let replace = textbook(a_rest, b_rest) + usize::from(x != y);
                replace
                    .min(textbook(a_rest, b) + 1)
                    .min(textbook(a, b_rest) + 1)
            }
        }
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert!((normalised("每日新鲜", "每日鲜") - 0.25).abs() < 1e-12);
        assert_eq!(normalised("", ""), 0.0);
        assert_eq!(normalised("", "abc"), 1.0);
        assert_eq!(levenshtein(&["a", "b", "c"], &["a", "c"]), 1);
    }

    proptest! {
        #[test]
        fn equals_the_textbook_recurrence(a in "[ab]{0,6}", b in "[abc]{0,6}") {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(levenshtein(&a, &b), textbook(&a, &b));
        }
    }
}
