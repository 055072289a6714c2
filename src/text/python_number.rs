//! Numbers as Python's `int` and `\d` read them: any Unicode decimal digit counts.

use super::whitespace::strip;
use regex::Regex;
use std::sync::LazyLock;

#[expect(clippy::unwrap_used, reason = "a pattern written here")]
static DIGIT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\A\d\z").unwrap());

/// The value of a decimal digit. Unicode keeps the ten digits of a script together and in order.
fn digit(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let is_digit = |c: char| DIGIT.is_match(c.encode_utf8(&mut [0; 4]));
    if !is_digit(c) {
        return None;
    }
    // Some scripts' digits follow each other without a gap.
    let before = (0..u32::from(c))
        .rev()
        .map_while(char::from_u32)
        .take_while(|c| is_digit(*c));
    Some(before.count() as u32 % 10)
}

/// The number that the first run of digits spells; one too large for the type is its largest.
pub fn first_number(text: &str) -> Option<i128> {
    let mut digits = text
        .chars()
        .map(digit)
        .skip_while(Option::is_none)
        .map_while(|digit| digit)
        .peekable();
    digits.peek()?;
    Some(value(digits))
}

/// Python's `int(text)`: a sign, digits, single underscores between them, whitespace around.
pub fn int(text: &str) -> Option<i128> {
    let text = strip(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut all = Vec::new();
    for group in digits.split('_') {
        let start = all.len();
        for c in group.chars() {
            all.push(digit(c)?);
        }
        if all.len() == start {
            return None;
        }
    }
    Some(sign * value(all.into_iter()))
}

fn value(digits: impl Iterator<Item = u32>) -> i128 {
    digits.fold(0_i128, |value, digit| {
        value.saturating_mul(10).saturating_add(digit.into())
    })
}
