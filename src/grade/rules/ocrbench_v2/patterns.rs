//! Patterns as Python's `re` reads them.

use regex::Regex;

/// Inside of a character class: what `\s` matches in Python, which counts the information separators.
pub(super) const SPACE: &str = r"\s\x1c-\x1f";

/// A pattern of this program's own, known to be valid.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the program's patterns are valid")
}
