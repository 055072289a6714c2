//! How much of a text was read: the recall of words or characters, which is the score of one reading and the
//! reward of a drawn text.
//!
//! X-Omni (arXiv 2507.22058) rewards a picture by what two OCR engines read of the text that it should show.
//! The paper does not say how the two are combined. Here each engine gives LongText-Bench's recall, and the
//! mean counts.

use super::multiset;
use super::normalise::{self, Language};
use crate::python::whitespace::words;

/// Which units of a text were found: words in English, characters in Chinese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// Number of matched units.
    pub matched: usize,
    /// Number of units of the text.
    pub reference: usize,
    /// The unmatched units, in the order of the text.
    pub missing: Vec<String>,
}

impl Recall {
    /// matched / reference. `None` if the text has no unit.
    pub fn value(&self) -> Option<f64> {
        (self.reference > 0).then(|| self.matched as f64 / self.reference as f64)
    }
}

/// How much of `texts`, joined by blanks, is in `reading`, as multisets of units after
/// [`normalise::longtext`]. The order and additional units do not matter.
pub fn longtext<S: AsRef<str>>(texts: &[S], reading: &str, language: Language) -> Recall {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    let reference = normalise::longtext(&texts.join(" "), language);
    let found = normalise::longtext(reading, language);
    match language {
        Language::En => unit_recall(words(&reference), words(&found)),
        Language::Zh => unit_recall(reference.chars(), found.chars()),
    }
}

/// The recall of any units.
pub fn unit_recall<T: Eq + std::hash::Hash + Copy + ToString>(
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

/// The mean over engines with equal weights. `None` without an engine.
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
