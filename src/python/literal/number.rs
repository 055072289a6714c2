//! Numbers in a Python literal.

use super::{Reader, Value};
use crate::python::number::{MOST_DIGITS, canonical};

impl Reader<'_> {
    /// A number without a sign.
    pub(super) fn number(&mut self) -> Option<Value> {
        let (value, rest) = match self.rest.get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("0x") => in_base(&self.rest[2..], 16)?,
            Some("0o") => in_base(&self.rest[2..], 8)?,
            Some("0b") => in_base(&self.rest[2..], 2)?,
            _ => decimal(self.rest)?,
        };
        // No letter may follow, not even the `j` of a complex number.
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        self.rest = rest;
        Some(value)
    }
}

/// The digits without the single underscores between them, and the rest of the text. `None` for an underscore
/// in another place.
fn digits(text: &str, radix: u32) -> Option<(String, &str)> {
    let end = text
        .find(|c: char| !(c.is_digit(radix) || c == '_'))
        .unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    let badly_placed = run.starts_with('_') || run.ends_with('_') || run.contains("__");
    (!badly_placed).then(|| (run.replace('_', ""), rest))
}

/// The number after a prefix such as `0x`, which may be followed by an underscore.
fn in_base(text: &str, radix: u32) -> Option<(Value, &str)> {
    let (digits, rest) = digits(text.strip_prefix('_').unwrap_or(text), radix)?;
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return None;
    }
    // The number in base 10⁹, with the least significant part first.
    const BASE: u64 = 1_000_000_000;
    let mut parts = vec![0_u64];
    for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
        let mut carry = u64::from(digit);
        for part in &mut parts {
            carry += *part * u64::from(radix);
            *part = carry % BASE;
            carry /= BASE;
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let decimal: String = parts
        .iter()
        .rev()
        .map(|part| format!("{part:09}"))
        .collect();
    let value = Value::Int(canonical(false, &decimal));
    Some((value, rest))
}

fn decimal(text: &str) -> Option<(Value, &str)> {
    let (whole, mut rest) = digits(text, 10)?;
    let mut number = whole.clone();
    let mut is_float = false;
    let mut fraction = String::new();
    if let Some(after) = rest.strip_prefix('.') {
        is_float = true;
        (fraction, rest) = digits(after, 10)?;
        number = format!("{number}.{fraction}");
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if let Some(after) = rest.strip_prefix(['e', 'E']) {
        is_float = true;
        let sign = if after.starts_with('-') { "-" } else { "" };
        let (exponent, after) = digits(after.strip_prefix(['+', '-']).unwrap_or(after), 10)?;
        if exponent.is_empty() {
            return None;
        }
        rest = after;
        number = format!("{number}e{sign}{exponent}");
    }
    let value = if is_float {
        Value::Float(format!("0{number}").parse().ok()?)
    } else {
        let zeros_lead = whole.starts_with('0') && whole.bytes().any(|b| b != b'0');
        if zeros_lead || whole.len() > MOST_DIGITS {
            return None;
        }
        Value::Int(canonical(false, &whole))
    };
    Some((value, rest))
}
