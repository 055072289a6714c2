//! How much of a text was read: recall of words or characters, the score of one reading and the reward of a drawn text.
//!
//! X-Omni (arXiv 2507.22058) rewards a picture by what two OCR engines read of the text that it should show, and does not
//! say how the two are put together: here each gives LongText-Bench's recall, and the mean counts.

use super::multiset;
use super::normalise::{self, Language};
use crate::python::whitespace::words;

/// Units of a text that were found: words in English, characters in Chinese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    pub matched: usize,
    /// Units of the text.
    pub reference: usize,
    /// Unmatched units in the text's order.
    pub missing: Vec<String>,
}

impl Recall {
    /// matched / reference; None when the text has no unit.
    pub fn value(&self) -> Option<f64> {
        (self.reference > 0).then(|| self.matched as f64 / self.reference as f64)
    }
}

/// What of `texts`, joined by a blank, is in `reading`: multisets of units after [`normalise::longtext`]. Order and
/// additions cost nothing.
pub fn longtext<S: AsRef<str>>(texts: &[S], reading: &str, language: Language) -> Recall {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    let reference = normalise::longtext(&texts.join(" "), language);
    let found = normalise::longtext(reading, language);
    match language {
        Language::En => of(words(&reference), words(&found)),
        Language::Zh => of(reference.chars(), found.chars()),
    }
}

/// Recall of any units.
pub fn of<T: Eq + std::hash::Hash + Copy + ToString>(
    reference: impl Iterator<Item = T> + Clone,
    found: impl Iterator<Item = T>,
) -> Recall {
    let total = reference.clone().count();
    let result = multiset::intersect(reference, found);
    Recall {
        matched: result.matched,
        reference: total,
        missing: result.missing.iter().map(T::to_string).collect(),
    }
}

/// Mean over engines, each of which counts the same; None without one.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Further words of a reading never cost anything, and no reading gives more than all.
        #[test]
        fn more_read_is_never_less(
            texts in prop::collection::vec("[a-c ]{0,8}", 0..4), reading in "[a-c ]{0,12}", more in "[a-c ]{0,6}",
        ) {
            let first = longtext(&texts, &reading, Language::En);
            let second = longtext(&texts, &format!("{reading} {more}"), Language::En);
            prop_assert!(first.matched <= second.matched && second.matched <= second.reference);
            prop_assert_eq!(first.missing.len(), first.reference - first.matched);
            prop_assert_eq!(longtext(&texts, &texts.join(" "), Language::Zh).missing.len(), 0);
        }
    }
}
