//! What a reasoning model says before its answer.

/// The text without `<think>…</think>` and the blanks behind it. A block that never began ends at its end mark; one that
/// never ends is left alone.
pub fn without(text: &str) -> &str {
    match text.rfind("</think>") {
        Some(at) => text
            .get(at + "</think>".len()..)
            .unwrap_or_default()
            .trim_start(),
        None => text,
    }
}
