//! The scores in a judge's reply to ImgEdit's prompts, read in one of three ways.

use crate::python::str::{int, is_digit, round2, split_lines};
use crate::python::whitespace::{is_space, strip};
use regex::Regex;
use std::sync::LazyLock;

/// The scores in a judge's reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scores {
    /// Names and numbers that count, in the order of the reply (official) or of the rubric.
    pub lines: Vec<(String, f64)>,
    /// Their mean, rounded to two digits.
    pub mean: f64,
}

impl Scores {
    fn of_lines(lines: Vec<(String, f64)>) -> Result<Self, String> {
        let sum: f64 = lines.iter().map(|(_, value)| value).sum();
        let mean = round2(sum / lines.len() as f64);
        if mean.is_finite() {
            Ok(Self { lines, mean })
        } else {
            Err("a number in it is too large to average".to_owned())
        }
    }
}

/// Edit types of ImgEdit's basic suite with the names of the three scores that the judge is asked for.
pub(super) static RUBRICS: [(&str, [&str; 3]); 9] = [
    (
        "add",
        [
            "Prompt Compliance",
            "Visual Naturalness",
            "Physical & Detail Coherence",
        ],
    ),
    (
        "adjust",
        [
            "Prompt Compliance",
            "Visual Seamlessness",
            "Physical & Detail Fidelity",
        ],
    ),
    (
        "extract",
        ["Object Identity", "Mask Precision", "Visual Quality"],
    ),
    (
        "replace",
        [
            "Prompt Compliance",
            "Visual Naturalness",
            "Physical & Detail Integrity",
        ],
    ),
    (
        "remove",
        [
            "Prompt Compliance",
            "Visual Naturalness",
            "Physical & Detail Integrity",
        ],
    ),
    (
        "background",
        [
            "Instruction Compliance",
            "Visual Seamlessness",
            "Physical Consistency",
        ],
    ),
    (
        "style",
        [
            "Style Fidelity",
            "Content Preservation",
            "Rendering Quality",
        ],
    ),
    (
        "compose",
        [
            "Instruction Compliance",
            "Visual Naturalness",
            "Physical Consistency & Fine Detail",
        ],
    ),
    (
        "action",
        [
            "Action Fidelity",
            "Identity Preservation",
            "Visual & Anatomical Coherence",
        ],
    ),
];

/// The official way (`step1_get_avgscore.py`, `get_average_score.py`): every line counts that `": "` splits
/// into exactly two parts and whose second part is all digits, regardless of its name and its number.
///
/// # Errors
/// Fails if no line counts, or if `int()` raises an error, which stops the official script.
pub(super) fn official(reply: &str) -> Result<Scores, String> {
    let mut lines = Vec::new();
    for line in split_lines(reply) {
        let mut parts = strip(line).split(": ");
        let (Some(name), Some(number), None) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if is_digit(number) {
            let value = int(number).ok_or_else(|| {
                format!("the line {line:?} stops the official script: isdigit() accepts it and int() does not")
            })?;
            lines.push((name.to_owned(), value));
        }
    }
    if lines.is_empty() {
        return Err("no line of it is `name: digits`".to_owned());
    }
    Scores::of_lines(lines)
}

/// Exactly the template that the judge is asked to fill: each of the names once, followed by a number from 1
/// to 5.
///
/// # Errors
/// Fails if something is not as asked.
pub(super) fn strict(reply: &str, names: &[&str]) -> Result<Scores, String> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let of_name = |line| {
            let rest = strip(line).strip_prefix(name)?.strip_prefix(": ")?;
            Some(rest.to_owned())
        };
        let values: Vec<String> = split_lines(reply).into_iter().filter_map(of_name).collect();
        match &values[..] {
            [one] => match one.as_str() {
                "1" | "2" | "3" | "4" | "5" => {
                    found.push((name.to_string(), int(one).unwrap_or_default()))
                }
                other => return Err(format!("{name} is {other:?}, not a number from 1 to 5")),
            },
            [] => return Err(format!("it has no line `{name}: `")),
            _ => return Err(format!("it has several lines `{name}: `")),
        }
    }
    Scores::of_lines(found)
}

/// Each of the names wherever a line begins with it, with markup, numbering, `/5` and further text. The last
/// line of a name counts. Numbers are limited to 1 to 5. With `cap`, later scores are at most the first.
///
/// # Errors
/// Fails if a name has no number.
pub(super) fn robust(reply: &str, names: &[&str], cap: bool) -> Result<Scores, String> {
    let mut found: Vec<(String, f64)> = Vec::with_capacity(names.len());
    for name in names {
        let lines = split_lines(reply).into_iter();
        let value = lines
            .filter_map(|line| number_after_name(line, name))
            .next_back();
        let value = value.ok_or_else(|| format!("it has no number for {name}"))?;
        let most = match found.first() {
            Some((_, first)) if cap => *first,
            _ => 5.0,
        };
        found.push((name.to_string(), value.clamp(1.0, 5.0).min(most)));
    }
    Scores::of_lines(found)
}

/// The text after each of the names at the start of a line, or after each word `Score` if there is no name.
pub(super) fn written<'a>(reply: &'a str, names: &[&str]) -> Vec<&'a str> {
    static SCORE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)score-?[^\w\n-]*([^\n]*)").ok());
    if names.is_empty() {
        let all = SCORE.iter().flat_map(|score| score.captures_iter(reply));
        return all
            .filter_map(|found| Some(found.get(1)?.as_str()))
            .collect();
    }
    let lines = split_lines(reply);
    let named = |line: &&'a str| names.iter().find_map(|name| text_after_name(line, name));
    lines.iter().filter_map(named).collect()
}

/// The number of a line that begins with a name.
fn number_after_name(line: &str, name: &str) -> Option<f64> {
    let rest = text_after_name(line, name)?;
    let whole = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let tail = rest.get(whole..)?.strip_prefix('.').unwrap_or_default();
    let part = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let length = if part > 0 { whole + 1 + part } else { whole };
    rest.get(..length)?.parse().ok()
}

/// The text after a name and its colon at the start of a line. Markup and numbering are skipped.
fn text_after_name<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let line = line.trim_start_matches(|c| is_space(c) || ">*_#•–—-".contains(c));
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < line.len() && digits.starts_with(['.', ')']);
    let line = if numbered { digits.get(1..)? } else { line };
    let line = line.trim_start_matches(|c| is_space(c) || "*_#".contains(c));
    let spelt = [name.to_owned(), name.replace('&', "and")];
    let rest = spelt.iter().find_map(|name| {
        let start = line.get(..name.len())?;
        start
            .eq_ignore_ascii_case(name)
            .then(|| line.get(name.len()..))?
    })?;
    let markup = |c| is_space(c) || "*_".contains(c);
    let rest = rest
        .trim_start_matches(markup)
        .strip_prefix([':', '：', '='])?;
    Some(rest.trim_start_matches(markup))
}

/// The one score of a reply to the hard suite's prompt: the last number from 1 to 5 after the word `Score`.
///
/// # Errors
/// Fails if there is none. With `once`, it also fails if there are several.
pub(super) fn single(reply: &str, once: bool) -> Result<Scores, String> {
    static SCORE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)score(\W*)([1-5])\b").ok());
    let all = SCORE.iter().flat_map(|score| score.captures_iter(reply));
    // `Score: -3` is below the scale; the hyphen of `Score-3` is not a sign.
    let negative = |between: &str| between.len() > 1 && between.ends_with(['-', '\u{2212}']);
    let numbers: Vec<&str> = all
        .filter(|found| !negative(&found[1]))
        .filter_map(|found| Some(found.get(2)?.as_str()))
        .collect();
    match numbers.last() {
        Some(_) if once && numbers.len() > 1 => Err("it has several scores".to_owned()),
        Some(last) => {
            Scores::of_lines(vec![("Score".to_owned(), last.parse().unwrap_or_default())])
        }
        None => Err("it has no `Score` from 1 to 5".to_owned()),
    }
}
