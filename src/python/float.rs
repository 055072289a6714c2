//! Numbers as Python's `float()` reads them.

use crate::python::whitespace::strip;

/// The number. `None` if `float()` fails. Whitespace around the number is ignored, `_` is allowed between
/// digits, and full-width digits count.
pub fn parse(text: &str) -> Option<f64> {
    let mut plain = String::with_capacity(text.len());
    let characters: Vec<char> = strip(text).chars().map(narrow).collect();
    for (at, &character) in characters.iter().enumerate() {
        if character != '_' {
            plain.push(character);
            continue;
        }
        let digit = |place: Option<usize>| {
            place
                .and_then(|place| characters.get(place))
                .is_some_and(char::is_ascii_digit)
        };
        if !(digit(at.checked_sub(1)) && digit(Some(at + 1))) {
            return None;
        }
    }
    plain.parse().ok()
}

/// An ASCII digit for a full-width one.
fn narrow(character: char) -> char {
    match character {
        '０'..='９' => char::from_u32(u32::from(character) - 0xff10 + 0x30).unwrap_or(character),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [float(t) for t in …] of Python 3.11. `None` if it raised ValueError.
    #[test]
    fn reads_what_python_reads() {
        for (text, value) in [
            (" 12\n", Some(12.0)),
            ("1_000.5", Some(1000.5)),
            ("1__0", None),
            ("_1", None),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("+1e3", Some(1000.0)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("１２", Some(12.0)),
            ("1,000", None),
            ("12%", None),
            ("0x10", None),
            ("", None),
            (".", None),
            ("e5", None),
        ] {
            assert_eq!(parse(text), value, "{text:?}");
        }
        assert!(parse("nan").is_some_and(f64::is_nan));
    }
}
