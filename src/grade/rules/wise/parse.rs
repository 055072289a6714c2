//! The scores in a judge's reply to WISE's prompts (`WISE_legacy/gpt_eval.py` and `vllm_eval.py` of
//! PKU-YuanGroup/WISE, commit eb51174).

use crate::python::number::digit;
use crate::python::str::split_lines;
use crate::python::whitespace::strip;
use regex::Regex;
use std::sync::LazyLock;

/// The names of the scores of the legacy prompt.
pub(super) const NAMES: [&str; 3] = ["consistency", "realism", "aesthetic_quality"];

/// The same names as a judge writes them.
pub(super) const ASKED: [&str; 3] = ["Consistency", "Realism", "Aesthetic Quality"];

/// Which prompt a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Three scores of 0 to 2.
    Legacy,
    /// One score of 0 or 1.
    Verified,
}

/// Blanks as Python's `\s` knows them.
const BLANKS: &str = r"[\s\x1C-\x1F]*";

/// The three legacy scores as the official script reads them: a name, with asterisks and a colon, and the
/// first digit after it, whatever follows. The last one of a name counts. If no name is found at all, three
/// lines of one digit 0 to 2 count, unless `fallback` is off (UniWorld-V1's copy has no such fallback).
///
/// # Errors
/// Fails if names are missing.
pub(super) fn legacy(reply: &str, fallback: bool) -> Result<[f64; 3], String> {
    // Python's case-insensitive `i` also matches the dotted and the dotless one. Such a name is found, but it
    // is not the one that was asked for.
    static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let names = ASKED.join("|").replace('i', "[iİı]");
        Regex::new(&format!(
            r"(?i)\*{{0,2}}({names})\*{{0,2}}{BLANKS}:?{BLANKS}(\d)"
        ))
        .ok()
    });
    let mut scores = [None; 3];
    let mut any = false;
    for found in NAMED.iter().flat_map(|named| named.captures_iter(reply)) {
        any = true;
        let name = found[1].to_lowercase().replace(' ', "_");
        let digit = found[2].chars().next().and_then(digit);
        for (known, score) in NAMES.iter().zip(&mut scores) {
            if *known == name {
                *score = digit.map(f64::from).or(*score);
            }
        }
    }
    if !any && fallback {
        let lines = lone_digits(reply, Prompt::Legacy);
        if let [first, second, third, ..] = lines[..] {
            return Ok([first, second, third]);
        }
    }
    let missing: Vec<&str> = (NAMES.iter().zip(scores))
        .filter(|(_, score)| score.is_none())
        .map(|(name, _)| *name)
        .collect();
    match scores {
        [Some(consistency), Some(realism), Some(aesthetic)] => {
            Ok([consistency, realism, aesthetic])
        }
        _ => Err(format!("it has no score for {}", missing.join(", "))),
    }
}

/// The three legacy scores from a reply that is exactly as asked: the three lines once each, with 0, 1 or 2.
///
/// # Errors
/// Fails if something is not as asked.
pub(super) fn legacy_strict(reply: &str) -> Result<[f64; 3], String> {
    let mut scores = [0.0; 3];
    for (name, score) in ASKED.iter().zip(&mut scores) {
        let of_name = |line| {
            strip(line)
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(": "))
        };
        let values: Vec<&str> = split_lines(reply).into_iter().filter_map(of_name).collect();
        *score = match values[..] {
            ["0"] => 0.0,
            ["1"] => 1.0,
            ["2"] => 2.0,
            [other] => return Err(format!("{name} is {other:?}, not 0, 1 or 2")),
            [] => return Err(format!("it has no line `{name}: `")),
            _ => return Err(format!("it has several lines `{name}: `")),
        };
    }
    Ok(scores)
}

/// The score 0 or 1 of WISE Verified as the official script reads it: the first one after `Score`, or else
/// the only line that is a bare 0 or 1. Thoughts before the answer are left out.
///
/// # Errors
/// Fails if there is none.
pub(super) fn verified(reply: &str) -> Result<f64, String> {
    static THOUGHT: LazyLock<Option<[Regex; 3]>> = LazyLock::new(|| {
        Some([
            Regex::new(&format!(r"(?s)<think>.*?</think>{BLANKS}")).ok()?,
            Regex::new(&format!("</think>{BLANKS}")).ok()?,
            Regex::new(&format!(
                r"(?i)\*{{0,2}}Score\*{{0,2}}{BLANKS}:?{BLANKS}([01])\b"
            ))
            .ok()?,
        ])
    });
    let Some([thought, end, score]) = THOUGHT.as_ref() else {
        return Err("no pattern".to_owned());
    };
    let answer = thought.replace_all(reply, "");
    let answer = end.replace_all(&answer, "");
    if let Some(found) = score.captures(&answer) {
        return Ok(f64::from(u8::from(&found[1] == "1")));
    }
    match lone_digits(&answer, Prompt::Verified)[..] {
        [one] => Ok(one),
        [] => Err("it has no `Score: ` of 0 or 1".to_owned()),
        _ => Err("it has no `Score: `, and several lines of 0 or 1".to_owned()),
    }
}

/// The score of WISE Verified from a reply that is exactly as asked: one line `Score: 0` or `Score: 1`.
///
/// # Errors
/// Fails if something is not as asked.
pub(super) fn verified_strict(reply: &str) -> Result<f64, String> {
    let of_score = |line| strip(line).strip_prefix("Score: ");
    let values: Vec<&str> = split_lines(reply)
        .into_iter()
        .filter_map(of_score)
        .collect();
    match values[..] {
        ["0"] => Ok(0.0),
        ["1"] => Ok(1.0),
        [other] => Err(format!("the score is {other:?}, not 0 or 1")),
        [] => Err("it has no line `Score: `".to_owned()),
        _ => Err("it has several lines `Score: `".to_owned()),
    }
}

/// The text after each of the names, with asterisks and a colon, if a number begins there.
pub(super) fn written(reply: &str, prompt: Prompt) -> Vec<&str> {
    static NUMBERS: LazyLock<[Option<Regex>; 2]> =
        LazyLock::new(|| [number_after(&ASKED.join("|")), number_after("score")]);
    let [legacy, verified] = &*NUMBERS;
    let named = match prompt {
        Prompt::Legacy => legacy,
        Prompt::Verified => verified,
    };
    let all = named.iter().flat_map(|named| named.captures_iter(reply));
    all.filter_map(|found| Some(found.get(1)?.as_str()))
        .collect()
}

/// A number, and the rest of its line, after one of the names.
fn number_after(names: &str) -> Option<Regex> {
    Regex::new(&format!(
        r"(?i)\b(?:{names})\*{{0,2}}{BLANKS}:?{BLANKS}\*{{0,2}}{BLANKS}([-+\u{{2212}}]?\d[^\n]*)"
    ))
    .ok()
}

/// The digits that are alone in their lines, up to 2 or, for a verified prompt, 1. Lines end only at U+000A.
fn lone_digits(text: &str, prompt: Prompt) -> Vec<f64> {
    static DIGITS: LazyLock<[Option<Regex>; 2]> =
        LazyLock::new(|| [lone_digit("[0-2]"), lone_digit("[01]")]);
    let [legacy, verified] = &*DIGITS;
    let line = match prompt {
        Prompt::Legacy => legacy,
        Prompt::Verified => verified,
    };
    let Some(line) = line else {
        return Vec::new();
    };
    let digits = line
        .captures_iter(text)
        .filter_map(|found| found[1].parse().ok());
    digits.collect()
}

/// A line with one of the digits alone.
fn lone_digit(digits: &str) -> Option<Regex> {
    Regex::new(&format!("(?m)^{BLANKS}({digits}){BLANKS}$")).ok()
}
