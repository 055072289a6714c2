//! Whole numbers as Python's `int` and `\d` read them: any Unicode decimal digit counts.

/// The zeros of the scripts with decimal digits (Unicode category Nd, as CPython 3.11 has it). The other nine
/// digits follow each of them. Printed by `[hex(c) for c in range(0x110000) if chr(c).isdecimal() and
/// int(chr(c)) == 0]`.
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
    0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// The largest number of digits. More are an error in Python (`sys.int_info.default_max_str_digits`).
pub(super) const MOST_DIGITS: usize = 4300;

/// The value of a decimal digit of any script.
pub fn digit(character: char) -> Option<u8> {
    let code = u32::from(character);
    let at = ZEROS.partition_point(|&zero| zero <= code);
    let value = code - ZEROS.get(at.checked_sub(1)?)?;
    u8::try_from(value).ok().filter(|&v| v < 10)
}

/// `int(text)` in the plainest decimal form. The text may have a sign, digits of any script, single
/// underscores between them, and blanks around them. `None` if Python raises `ValueError`.
pub fn digits(text: &str) -> Option<String> {
    let text = crate::python::whitespace::strip(text);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut plain = String::new();
    let mut after_digit = false;
    for character in digits.chars() {
        match digit(character) {
            Some(value) => plain.push(char::from(b'0' + value)),
            None if character == '_' && after_digit => {}
            None => return None,
        }
        after_digit = character != '_';
    }
    if !after_digit || plain.len() > MOST_DIGITS {
        return None;
    }
    Some(canonical(negative, &plain))
}

/// `int(text)` as a number. A number that is too large gives the largest one that fits.
pub fn int(text: &str) -> Option<i128> {
    let digits = digits(text)?;
    let nearest = if digits.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    };
    Some(digits.parse().unwrap_or(nearest))
}

/// The number of the first run of digits. A number that is too large gives the largest one that fits.
pub fn first_number(text: &str) -> Option<i128> {
    let values = text.chars().map(digit);
    let mut run = values
        .skip_while(Option::is_none)
        .map_while(|value| value)
        .peekable();
    run.peek()?;
    Some(run.fold(0, |number: i128, value| {
        number.saturating_mul(10).saturating_add(value.into())
    }))
}

/// The number without leading zeros, and without `-0`.
pub(super) fn canonical(negative: bool, digits: &str) -> String {
    let digits = digits.trim_start_matches('0');
    match (negative, digits) {
        (_, "") => "0".to_owned(),
        (true, _) => format!("-{digits}"),
        (false, _) => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_reads() {
        let accepted = [
            (" 12\n", "12"),
            ("+007", "7"),
            ("-0", "0"),
            ("1_000", "1000"),
            ("１２", "12"),
            ("-٣", "-3"),
            ("99999999999999999999999999", "99999999999999999999999999"),
        ];
        for (text, value) in accepted {
            assert_eq!(digits(text).as_deref(), Some(value), "{text}");
        }
        for text in [
            "", " ", "-", "1_", "_1", "1__0", "1.0", "0x1", "1 2", "- 1", "²", "True",
        ] {
            assert_eq!(digits(text), None, "{text}");
        }
        assert_eq!(digits(&"9".repeat(4301)), None);
        assert_eq!(int("-1_000"), Some(-1000));
        assert_eq!(int(&"9".repeat(99)), Some(i128::MAX));
        assert_eq!(first_number("no. ١٢ or 3"), Some(12));
        assert_eq!(first_number("none"), None);
    }
}
