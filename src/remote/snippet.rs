//! The beginning of an answer, for messages.

/// The first words of an unexpected answer.
pub fn snippet(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(800)]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        "(empty answer)".into()
    } else {
        words.chars().take(200).collect()
    }
}
