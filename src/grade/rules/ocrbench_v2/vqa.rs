//! Answers to questions: short ones must occur in the prediction, long ones must resemble it (`vqa_metric.py`
//! of OCRBench v2).

use super::answers::Answers;
use crate::python::whitespace::{strip, words};
use crate::text::distance;

/// An answer of so many words is long.
const LONG_WORDS: usize = 5;

/// A Chinese answer of so many parts between commas is long.
const LONG_PARTS: usize = 4;

/// Similarity below which a long answer is worth nothing.
const SIMILAR: f64 = 0.5;

/// The best answer's worth in 0..=1, in lower case.
pub(super) fn vqa(prediction: &str, answers: &Answers) -> f64 {
    let prediction = plain(&prediction.to_lowercase());
    best(answers.all(), |answer| {
        let answer = plain(&answer.to_lowercase());
        if words(&answer).count() < LONG_WORDS {
            contained(&prediction, &answer)
        } else {
            similarity(&prediction, &answer)
        }
    })
}

/// As [`vqa`] with the case kept. As officially, a bare short answer that does not occur is held for a long
/// one, and a bare long one is worth nothing.
pub(super) fn vqa_case_sensitive(prediction: &str, answers: &Answers) -> f64 {
    let is_short = |answer: &str| words(answer).count() < LONG_WORDS;
    quirky(&plain(prediction), answers, plain, is_short)
}

/// As [`vqa`] for Chinese: without blanks, and long means many parts between commas. Bare answers are treated
/// as in [`vqa_case_sensitive`].
pub(super) fn vqa_cn(prediction: &str, answers: &Answers) -> f64 {
    let normalise = |text: &str| plain(&text.to_lowercase()).replace(' ', "");
    let is_short = |answer: &str| answer.split(',').count() < LONG_PARTS;
    quirky(&normalise(prediction), answers, normalise, is_short)
}

fn quirky(
    prediction: &str,
    answers: &Answers,
    normalise: impl Fn(&str) -> String,
    is_short: impl Fn(&str) -> bool,
) -> f64 {
    match answers {
        Answers::One(answer) => {
            let answer = normalise(answer);
            if is_short(&answer) {
                contained(prediction, &answer).max(similarity(prediction, &answer))
            } else {
                0.0
            }
        }
        Answers::List(answers) => best(answers, |answer| {
            let answer = normalise(answer);
            if is_short(&answer) {
                contained(prediction, &answer)
            } else {
                similarity(prediction, &answer)
            }
        }),
    }
}

/// Stripped, with line feeds made blanks.
pub(super) fn plain(text: &str) -> String {
    strip(text).replace('\n', " ")
}

/// 1 when the answer is a part of the prediction, else 0.
pub(super) fn contained(prediction: &str, answer: &str) -> f64 {
    f64::from(u8::from(prediction.contains(answer)))
}

/// The highest worth of an answer, 0 without answers.
pub(super) fn best(answers: &[String], worth: impl Fn(&str) -> f64) -> f64 {
    answers
        .iter()
        .map(|answer| worth(answer))
        .fold(0.0, f64::max)
}

/// 1 − normalised edit distance, where that is enough.
fn similarity(prediction: &str, answer: &str) -> f64 {
    let similarity = 1.0 - distance::normalised(prediction, answer);
    if similarity >= SIMILAR {
        similarity
    } else {
        0.0
    }
}
