//! Makes texts comparable: the options of the built-in rules, and the normalisations of LongText-Bench and
//! OneIG-Bench.

use crate::python::whitespace::{collapse, is_space, strip};
use serde::Deserialize;

/// What the built-in rules ignore when they compare two texts. Nothing else is changed; in particular, there
/// is no Unicode normalisation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Normalise {
    /// Compare in lower case (full Unicode lower-casing).
    pub ignore_case: bool,
    /// Delete every character that is neither a letter, a digit nor whitespace.
    pub strip_punctuation: bool,
    /// Replace every run of whitespace by one blank. Whitespace at both ends is always removed.
    pub collapse_whitespace: bool,
}

impl Default for Normalise {
    fn default() -> Self {
        Self {
            ignore_case: true,
            strip_punctuation: false,
            collapse_whitespace: true,
        }
    }
}

impl Normalise {
    /// Applies the options in the order lower case, punctuation, whitespace.
    pub fn apply(&self, text: &str) -> String {
        let mut text = if self.ignore_case {
            text.to_lowercase()
        } else {
            text.to_owned()
        };
        if self.strip_punctuation {
            text.retain(|c| c.is_alphanumeric() || is_space(c));
        }
        if self.collapse_whitespace {
            collapse(&text)
        } else {
            strip(&text).to_owned()
        }
    }
}

/// Languages with a text score of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// LongText-Bench's normalisation (`textbench/summary_scores.py`). It deletes every character that is not an
/// ideograph of U+4E00–U+9FA5, an ASCII letter or digit, whitespace, or a French or German accented letter.
/// For English, it then collapses whitespace and lower-cases. For Chinese, it deletes whitespace and keeps
/// the case.
///
/// Characters are deleted, not replaced: `ROUND-TRIP` becomes `roundtrip`. Combining accents and full-width
/// letters are deleted too.
pub fn longtext(text: &str, language: Language) -> String {
    match language {
        Language::En => {
            let kept: String = text.chars().filter(|&c| longtext_keeps(c)).collect();
            collapse(&kept).to_lowercase()
        }
        Language::Zh => text
            .chars()
            .filter(|&c| longtext_keeps(c) && !is_space(c))
            .collect(),
    }
}

/// OneIG-Bench's normalisation (`scripts/text/text_utils.py`). It deletes what [`longtext`] deletes, and
/// keeps the case. Whitespace is deleted from a text with an ideograph, and collapsed in any other text.
pub fn oneig(text: &str) -> String {
    let kept: String = text.chars().filter(|&c| longtext_keeps(c)).collect();
    if has_ideograph(&kept) {
        kept.chars().filter(|&c| !is_space(c)).collect()
    } else {
        collapse(&kept)
    }
}

/// Whether the text contains a character of U+4E00–U+9FFF.
pub fn has_ideograph(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fff}'))
}

fn longtext_keeps(c: char) -> bool {
    const ACCENTED: &str = "àâäéèêëîïôöùûüçÀÂÄÉÈÊËÎÏÔÖÙÛÜÇ";
    matches!(c, '\u{4e00}'..='\u{9fa5}')
        || c.is_ascii_alphanumeric()
        || is_space(c)
        || ACCENTED.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_apply_one_by_one() {
        let text = "  Hello,\u{3000}World!\n";
        assert_eq!(Normalise::default().apply(text), "hello, world!");
        let bare = Normalise {
            ignore_case: false,
            strip_punctuation: false,
            collapse_whitespace: false,
        };
        assert_eq!(bare.apply(text), "Hello,\u{3000}World!");
        let all = Normalise {
            strip_punctuation: true,
            ..Normalise::default()
        };
        assert_eq!(all.apply("Don't — 每日，新鲜。"), "dont 每日新鲜");
    }

    #[test]
    fn longtext_deletes_rather_than_replaces() {
        assert_eq!(
            longtext("PARK - 2  ROUND-TRIP", Language::En),
            "park 2 roundtrip"
        );
        assert_eq!(
            longtext("cafe\u{301} Ｆull Über İ", Language::En),
            "cafe ull über"
        );
        assert_eq!(longtext("中央 公园 - A b", Language::Zh), "中央公园Ab");
    }

    proptest::proptest! {
        #[test]
        fn normalising_again_changes_nothing(text in "(?s).{0,40}|[a-zÀÉ 中文\u{9fa6}\t-]{0,20}") {
            for once in [oneig(&text), longtext(&text, Language::Zh), longtext(&text, Language::En)] {
                proptest::prop_assert!(!once.starts_with(is_space) && !once.ends_with(is_space));
            }
            let once = oneig(&text);
            proptest::prop_assert_eq!(oneig(&once), once.clone());
            proptest::prop_assert!(once.chars().all(longtext_keeps));
            proptest::prop_assert!(!has_ideograph(&once) || !once.contains(is_space));
        }
    }
}
