//! Patterns as Python's `re` reads them.

use regex::Regex;

/// Inside a character class: what `\s` matches in Python, which includes the information separators.
pub(super) const SPACE: &str = r"\s\x1c-\x1f";

/// A pattern that is written in this program and known to be valid.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the program's patterns are valid")
}
