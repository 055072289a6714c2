//! The options of a question: their letters and their texts.

/// The option with a letter, in upper or lower case. `None` if there is none.
pub(super) fn option_of(letter: &str, options: &[String]) -> Option<usize> {
    let byte = letter.as_bytes().first()?.to_ascii_uppercase();
    let option = usize::from(byte.checked_sub(b'A')?);
    (option < options.len()).then_some(option)
}

/// The text in lower case, with single blanks and without punctuation at the ends.
pub(super) fn comparable(text: &str) -> String {
    let narrow: String = text.chars().map(to_ascii).collect();
    let lower = narrow.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let joined = words.join(" ");
    joined
        .trim_matches(|c: char| c.is_whitespace() || ".,;:!?\"'`*()[]{}。、".contains(c))
        .to_owned()
}

/// Full-width forms as ASCII.
pub(super) fn to_ascii(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}
