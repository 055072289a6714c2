//! Whitespace as Python's `str.strip`, `str.split` and `\s` treat it. Most official scripts are in Python,
//! and their scores depend on it.
//!
//! Unicode's `White_Space` property and Python differ only in the four information separators U+001C–U+001F,
//! which only Python counts as whitespace. U+200B (zero width space) is whitespace for neither.

/// Whether Python's `str.isspace` accepts the character.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Python's `str.strip()`.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The words that Python's `str.split()` returns.
pub fn words(text: &str) -> impl Iterator<Item = &str> + Clone {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// The words joined by single blanks: runs of whitespace become one blank, and the ends are stripped.
pub fn collapse(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in words(text) {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All code points for which Python 3.11 says `chr(c).isspace()`; printed by
    /// `[hex(c) for c in range(0x110000) if chr(c).isspace()]`.
    const PYTHON: [u32; 29] = [
        0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001,
        0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029,
        0x202f, 0x205f, 0x3000,
    ];

    #[test]
    fn is_space_agrees_with_python_on_every_code_point() {
        let ours: Vec<u32> = ('\0'..=char::MAX)
            .filter(|&c| is_space(c))
            .map(u32::from)
            .collect();
        assert_eq!(ours, PYTHON);
    }

    #[test]
    fn words_and_collapse_ignore_the_ends() {
        let text = "\u{1f} a\u{85}\u{3000}b\u{200b}c\n";
        assert_eq!(words(text).collect::<Vec<_>>(), ["a", "b\u{200b}c"]);
        assert_eq!(collapse(text), "a b\u{200b}c");
        assert_eq!(strip(text), "a\u{85}\u{3000}b\u{200b}c");
        assert_eq!(collapse(" \t"), "");
    }
}
