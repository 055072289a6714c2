//! `numeric`: right when a number in the text is near enough to the answer's.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::TextReading;
use schemars::JsonSchema;
use serde::Deserialize;

/// Which of several numbers in the text is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Which {
    /// The first number of the text.
    First,
    /// The last number of the text, since models reason first and conclude last.
    #[default]
    Last,
}

/// What a percent sign after a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Percent {
    /// Nothing: `12%` is 12.
    #[default]
    Ignore,
    /// Division by 100: `12%` is 0.12.
    Divide,
}

/// The description of `numeric`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<NumericOptions>(
    "numeric",
    "Right when a number in the text is near enough to the answer's.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(Numeric::new(options.read()?)?)),
);

/// Options of `numeric`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NumericOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// Which of several numbers in the text is graded. Default: the last.
    pub which: Which,
    /// What a percent sign after a number means. Default: nothing.
    pub percent: Percent,
    /// Largest accepted difference. Default: 0.
    pub absolute: f64,
    /// Largest accepted difference as a part of the answer. Default: 0. The larger of the two tolerances
    /// counts.
    pub relative: f64,
}

/// Takes the first or last number of the text and compares it with the number of each answer. The score is 1
/// or 0, and a text without a number is wrong. Full-width digits, thousands separators (`,`, `'`, `’`,
/// no-break blanks), exponents and the minus sign U+2212 are understood. A decimal comma is not.
#[derive(Debug)]
pub(super) struct Numeric(NumericOptions);

impl Numeric {
    /// # Errors
    /// Fails if a tolerance is negative or not finite.
    pub(super) fn new(options: NumericOptions) -> Result<Self, OptionError> {
        for (name, value) in [
            ("absolute", options.absolute),
            ("relative", options.relative),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(OptionError::value(name, value, "0 or more"));
            }
        }
        Ok(Self(options))
    }

    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let options = &self.0;
        let said = reading::model_words(case, options.from, options.observer.as_deref())?;
        let mut expected = Vec::new();
        for answer in reading::answers(case)? {
            let number = numbers(&answer, options.percent).pop();
            let told = || format!("the item's answer {} has no number", quote(&answer));
            expected.push(number.ok_or_else(|| Lack::of_record(told()))?);
        }
        let found = numbers(said, options.percent);
        let taken = match options.which {
            Which::First => found.first(),
            Which::Last => found.last(),
        };
        let said = quote(said);
        let which = match options.which {
            Which::First => "first",
            Which::Last => "last",
        };
        let wanted: Vec<String> = expected.iter().map(f64::to_string).collect();
        let wanted = wanted.join(" or ");
        let Some(&taken) = taken else {
            let reason = format!("said {said}, no number; expected {wanted}");
            return Ok(Verdict::scored(0.0, false, reason));
        };
        let correct = expected.iter().any(|&number| {
            (taken - number).abs() <= options.absolute.max(options.relative * number.abs())
        });
        let reason = format!(
            "said {said}, {which} number {taken}; expected {wanted} (tolerance {}, relative {})",
            options.absolute, options.relative
        );
        Ok(Verdict::scored(
            f64::from(u8::from(correct)),
            correct,
            reason,
        ))
    }
}

impl Rule for Numeric {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }
}

/// All numbers of a text in order.
fn numbers(text: &str, percent: Percent) -> Vec<f64> {
    let text: Vec<char> = text.chars().map(to_ascii).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let point_first = text[at] == '.' && digits(&text, at + 1) > 0;
        if !text[at].is_ascii_digit() && !point_first {
            at += 1;
            continue;
        }
        let (value, end) = number_at(&text, at);
        let sign = if is_negative(&text, at) { -1.0 } else { 1.0 };
        let hundredth = percent == Percent::Divide && text.get(end) == Some(&'%');
        found.push(sign * if hundredth { value / 100.0 } else { value });
        at = end;
    }
    found
}

/// The unsigned number that starts at `start`, and where it ends.
fn number_at(text: &[char], start: usize) -> (f64, usize) {
    let mut end = start + digits(text, start);
    let mut written: String = text[start..end].iter().collect();
    if (1..=3).contains(&written.len()) && has_thousands_groups(text, end) {
        let separator = text[end];
        while text.get(end) == Some(&separator) && digits(text, end + 1) == 3 {
            written.extend(&text[end + 1..end + 4]);
            end += 4;
        }
    }
    if text.get(end) == Some(&'.') && digits(text, end + 1) > 0 {
        let fraction = end + 1 + digits(text, end + 1);
        written.extend(&text[end..fraction]);
        end = fraction;
    }
    if matches!(text.get(end), Some('e' | 'E')) {
        let signed = usize::from(matches!(text.get(end + 1), Some('+' | '-')));
        let exponent = digits(text, end + 1 + signed);
        if exponent > 0 {
            let stop = end + 1 + signed + exponent;
            written.extend(&text[end..stop]);
            end = stop;
        }
    }
    // Digits with at most one point and exponent always parse; a number too large for f64 becomes infinity.
    (written.parse().unwrap_or(f64::INFINITY), end)
}

/// True if only groups of three digits follow, all with the same separator.
fn has_thousands_groups(text: &[char], mut end: usize) -> bool {
    let Some(&separator) = text.get(end) else {
        return false;
    };
    if !matches!(separator, ',' | '\'' | '’' | '\u{a0}' | '\u{202f}') {
        return false;
    }
    let mut groups = 0;
    while text.get(end) == Some(&separator) && digits(text, end + 1) > 0 {
        if digits(text, end + 1) != 3 {
            return false;
        }
        groups += 1;
        end += 4;
    }
    groups > 0
}

/// Whether a minus is a sign. It is not a sign if it joins two words or numbers, as in `10-20`.
fn is_negative(text: &[char], start: usize) -> bool {
    let Some(before) = start.checked_sub(1) else {
        return false;
    };
    text[before] == '-'
        && before
            .checked_sub(1)
            .is_none_or(|joined| !text[joined].is_alphanumeric() && text[joined] != ')')
}

fn digits(text: &[char], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.iter().take_while(|c| c.is_ascii_digit()).count()
}

/// Full-width forms and the minus sign, as ASCII.
fn to_ascii(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c),
        '\u{2212}' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_numbers_as_people_write_them() {
        let cases: [(&str, &[f64]); 12] = [
            ("12 of 40", &[12.0, 40.0]),
            ("1,234,567.89 and 1,2,3", &[1_234_567.89, 1.0, 2.0, 3.0]),
            ("1,2345", &[1.0, 2345.0]),
            ("1'000 / 2\u{202f}500km", &[1000.0, 2500.0]),
            ("10-20", &[10.0, 20.0]),
            ("-3.5, \u{2212}4, (−5)", &[-3.5, -4.0, -5.0]),
            ("共１２．５个", &[12.5]),
            ("２，５００元", &[2500.0]),
            ("6e-3 2E5 7east", &[0.006, 200_000.0, 7.0]),
            (".5 v1.2.3", &[0.5, 1.2, 0.3]),
            ("It is 42.", &[42.0]),
            ("none", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(numbers(text, Percent::Ignore), expected, "{text}");
        }
    }

    #[test]
    fn percent_divides_only_when_asked() {
        assert_eq!(numbers("12.5% ５％", Percent::Ignore), [12.5, 5.0]);
        assert_eq!(numbers("12.5% ５％", Percent::Divide), [0.125, 0.05]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,40}|[-0-9,.e%'+ ]{0,40}") {
            for number in numbers(&text, Percent::Divide) {
                prop_assert!(!number.is_nan());
            }
        }

        #[test]
        fn a_printed_number_is_found_again(number in -1e12..1e12_f64) {
            prop_assert_eq!(numbers(&format!("about {number} in all"), Percent::Ignore), [number]);
        }
    }
}
