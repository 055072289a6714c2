//! Strings and numbers as Python treats them: `splitlines`, `isdigit`, `int()` and `round(x, 2)`. The
//! official scripts that read a judge's replies depend on them.

use crate::python::number::{digit, digits};

/// First and last of the characters that `str.isdigit` accepts but `int()` does not, such as superscripts and
/// circled digits.
const ONLY_DIGITS: [(u32, u32); 20] = [
    (0xb2, 0xb3),
    (0xb9, 0xb9),
    (0x1369, 0x1371),
    (0x19da, 0x19da),
    (0x2070, 0x2070),
    (0x2074, 0x2079),
    (0x2080, 0x2089),
    (0x2460, 0x2468),
    (0x2474, 0x247c),
    (0x2488, 0x2490),
    (0x24ea, 0x24ea),
    (0x24f5, 0x24fd),
    (0x24ff, 0x24ff),
    (0x2776, 0x277e),
    (0x2780, 0x2788),
    (0x278a, 0x2792),
    (0x10a40, 0x10a43),
    (0x10e60, 0x10e68),
    (0x11052, 0x1105a),
    (0x1f100, 0x1f10a),
];

/// Python's `str.isdigit()`.
pub fn is_digit(text: &str) -> bool {
    let only = |c: char| {
        let code = u32::from(c);
        ONLY_DIGITS
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&code))
    };
    !text.is_empty() && text.chars().all(|c| digit(c).is_some() || only(c))
}

/// Python's `int(text)`, as the nearest double. `None` if Python raises `ValueError`.
pub fn int(text: &str) -> Option<f64> {
    digits(text)?.parse().ok()
}

/// Python's `str.splitlines()`.
pub fn split_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(ends_line) {
        let (line, after) = rest.split_at(at);
        lines.push(line);
        let mut after = after.chars();
        if after.next() == Some('\r') && after.as_str().starts_with('\n') {
            after.next();
        }
        rest = after.as_str();
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

fn ends_line(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Python's `round(value, 2)`: the exact binary value, rounded to the nearest hundredth, with ties to even.
pub fn round2(value: f64) -> f64 {
    format!("{value:.2}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values printed by CPython 3.11.
    #[test]
    fn rounding_is_that_of_the_binary_value() {
        let pairs = [
            (2.675, 2.67),
            (1.005, 1.0),
            (2.5, 2.5),
            (0.125, 0.12),
            (0.375, 0.38),
            (4.215, 4.21),
            (11.0 / 3.0, 3.67),
            (10.0 / 3.0, 3.33),
            (f64::INFINITY, f64::INFINITY),
            (1e300, 1e300),
        ];
        for (value, rounded) in pairs {
            assert_eq!(round2(value), rounded, "{value}");
        }
    }

    /// `[int(x) for x in …]` and `[x.isdigit() for x in …]` of CPython 3.11.
    #[test]
    fn numbers_are_read_as_int_reads_them() {
        let read = [
            (" 7 ", 7.0),
            ("+7", 7.0),
            ("1_0", 10.0),
            ("７", 7.0),
            ("007", 7.0),
            ("-0", 0.0),
            ("\u{1c}٣\u{3000}", 3.0),
        ];
        for (text, value) in read {
            assert_eq!(int(text), Some(value), "{text:?}");
        }
        for text in [
            "", " ", "_1", "1_", "1__0", "+ 7", "--1", "²", "7.0", "0x1", "1 0", "+",
        ] {
            assert_eq!(int(text), None, "{text:?}");
        }
        assert!(int(&"9".repeat(4300)).is_some_and(f64::is_infinite));
        assert_eq!(int(&"9".repeat(4301)), None);
        for (text, answer) in [
            ("5", true),
            ("５", true),
            ("²", true),
            ("①5", true),
            ("", false),
            ("5.", false),
            ("Ⅴ", false),
        ] {
            assert_eq!(is_digit(text), answer, "{text:?}");
        }
    }

    /// `splitlines()` of CPython 3.11.
    #[test]
    fn lines_end_where_python_ends_them() {
        assert_eq!(
            split_lines("a\r\nb\rc\nd\u{b}e\u{c}f\u{1c}g\u{1d}h\u{1e}i\u{85}j\u{2028}k\u{2029}\n"),
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", ""]
        );
        assert_eq!(split_lines("\u{1f}a\tb"), ["\u{1f}a\tb"]);
        assert!(split_lines("").is_empty());
    }
}
