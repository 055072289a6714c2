//! How MMMU's script reads the reply to an open question.

use crate::grade::reading::quote;
use crate::python;
use crate::python::whitespace::strip;
use regex::Regex;
use std::fmt;
use std::sync::LazyLock;

/// Words that the answer follows.
const CONCLUSIONS: [&str; 8] = [
    "could be ",
    "so ",
    "is ",
    "thus ",
    "therefore ",
    "final ",
    "answer ",
    "result ",
];
/// What is not an answer by itself.
const TRIVIAL: [&str; 7] = [":", ",", ".", "!", "?", ";", "'"];

/// Something that a reply or an answer says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// Rounded to two decimals.
    Number(f64),
    /// A phrase, in lower case.
    Phrase(String),
}

impl fmt::Display for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Phrase(phrase) => formatter.write_str(&quote(phrase)),
        }
    }
}

/// What a reply gives as its answer: the shortest end of each line after a word of conclusion (in the last
/// line also after `=`), or the whole reply if no line has any; and all numbers in these.
pub(super) fn read(reply: &str) -> Vec<Said> {
    let phrases = key_phrases(reply);
    let numbers = phrases.iter().flat_map(|phrase| numbers(phrase));
    let mut found: Vec<Said> = Vec::new();
    for text in phrases.iter().cloned().chain(numbers) {
        for said in normalised(&text) {
            if !found.contains(&said) {
                found.push(said);
            }
        }
    }
    found
}

/// Whether an answer is among what was read: a phrase inside a phrase, or an equal number.
pub(super) fn is_right(found: &[Said], answer: &str) -> bool {
    let wanted = normalised(answer);
    found.iter().any(|said| match said {
        Said::Number(_) => wanted.contains(said),
        Said::Phrase(phrase) => wanted
            .iter()
            .any(|one| matches!(one, Said::Phrase(part) if phrase.contains(part.as_str()))),
    })
}

fn key_phrases(reply: &str) -> Vec<String> {
    let lower = strip(reply).trim_matches('.').to_lowercase();
    let lines: Vec<&str> = lower.split('\n').collect();
    let mut phrases = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let last = (at + 1 == lines.len()).then_some("=");
        let mut shortest = String::new();
        for mark in CONCLUSIONS.into_iter().chain(last) {
            let Some((_, end)) = line.rsplit_once(mark) else {
                continue;
            };
            let end = strip(end);
            if shortest.is_empty() || end.chars().count() < shortest.chars().count() {
                shortest = end.to_owned();
            }
        }
        if !shortest.is_empty() && !TRIVIAL.contains(&shortest.as_str()) {
            phrases.push(shortest);
        }
    }
    if phrases.is_empty() {
        vec![lower]
    } else {
        phrases
    }
}

/// A number if `float()` reads one without the commas. Otherwise the text in lower case. A single character
/// must have a blank before or after it.
fn normalised(text: &str) -> Vec<Said> {
    let text = strip(text);
    if let Some(number) = python::float::parse(&text.replace(',', "")) {
        let rounded = format!("{number:.2}").parse().unwrap_or(number);
        return vec![Said::Number(rounded)];
    }
    let lower = text.to_lowercase();
    match lower.chars().count() {
        1 => vec![
            Said::Phrase(format!(" {lower}")),
            Said::Phrase(format!("{lower} ")),
        ],
        _ => vec![Said::Phrase(lower)],
    }
}

static WITH_COMMAS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"-?\b\d{1,3}(?:,\d{3})+\b").ok());
static SCIENTIFIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"-?\d+(?:\.\d+)?[eE][+-]?\d+").ok());

/// Numbers with commas, then those with exponents, then plain ones.
fn numbers(text: &str) -> Vec<String> {
    let by = |pattern: &'static Option<Regex>| {
        let found = pattern.iter().flat_map(|pattern| pattern.find_iter(text));
        found.map(|found| found.as_str().to_owned())
    };
    let mut all: Vec<String> = by(&WITH_COMMAS).chain(by(&SCIENTIFIC)).collect();
    plain_numbers(text, &mut all);
    all
}

/// `12`, `-1.5`, `.5`: no digit, comma or exponent may follow.
fn plain_numbers(text: &str, found: &mut Vec<String>) {
    let text: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < text.len() {
        let start = at + usize::from(text[at] == '-');
        match plain_end(&text, start) {
            Some(end) => {
                found.push(text[at..end].iter().collect());
                at = end;
            }
            None => at += 1,
        }
    }
}

/// The end of the unsigned number that starts at `start`.
fn plain_end(text: &[char], start: usize) -> Option<usize> {
    let whole = start + digits(text, start);
    let fraction = match text.get(whole) {
        Some('.') => digits(text, whole + 1),
        _ => 0,
    };
    if fraction > 0 {
        let end = whole + 1 + fraction;
        if may_end(text, end) && !exponent(text, end) {
            return Some(end);
        }
    }
    let in_word = text
        .get(whole)
        .is_some_and(|c| c.is_alphanumeric() || *c == '_');
    (whole > start && !in_word && may_end(text, whole)).then_some(whole)
}

fn may_end(text: &[char], end: usize) -> bool {
    !matches!(text.get(end), Some(',')) && digits(text, end) == 0
}

fn exponent(text: &[char], at: usize) -> bool {
    let signed = usize::from(matches!(text.get(at + 1), Some('+' | '-')));
    matches!(text.get(at), Some('e' | 'E')) && digits(text, at + 1 + signed) > 0
}

fn digits(text: &[char], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let digit = |c: &&char| c.is_ascii_digit() || ('０'..='９').contains(*c);
    rest.iter().take_while(digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // re.findall of the official patterns, by Python.
    #[test]
    fn numbers_are_found_as_pythons_patterns_find_them() {
        for (text, expected) in [
            ("1.5e3 m", vec!["1.5e3", "1", "3"]),
            ("-.5 or 2.", vec!["-.5", "2"]),
            ("1,234,567 and 1,23", vec!["1,234,567", "567", "23"]),
            ("a1 1a 10-20", vec!["1", "10", "-20"]),
            ("１２ 1.2.3 1.5,", vec!["１２", "1.2", ".3", "1"]),
        ] {
            assert_eq!(numbers(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_reply_is_read_without_panic(reply in "\\PC{0,40}|[-0-9.,eE =\nis]{0,40}") {
            let found = read(&reply);
            prop_assert!(!found.is_empty());
        }
    }
}
