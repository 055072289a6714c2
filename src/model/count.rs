//! Counts with their nouns, for messages: `1 image`, `2 images`.

/// A count with a regular noun in the singular or the plural.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
