//! Answers to questions: short ones must occur in the prediction, long ones must resemble it (`vqa_metric.py`
//! of OCRBench v2).

use super::answers::Answers;
use crate::python::whitespace::{strip, words};
use crate::text::distance;

/// An answer with this number of words or more is long.
const LONG_WORDS: usize = 5;

/// A Chinese answer with this number of parts between commas or more is long.
const LONG_PARTS: usize = 4;

/// Similarity below which a long answer is worth nothing.
const SIMILAR: f64 = 0.5;

/// The worth of the best answer in 0..=1, in lower case.
pub(super) fn vqa(prediction: &str, answers: &Answers) -> f64 {
    let prediction = one_line(&prediction.to_lowercase());
    best_worth(answers.texts(), |answer| {
        let answer = one_line(&answer.to_lowercase());
        if words(&answer).count() < LONG_WORDS {
            containment(&prediction, &answer)
        } else {
            similarity(&prediction, &answer)
        }
    })
}

/// The same as [`vqa`], but the case is kept. In the official script, a bare short answer that does not occur
/// is treated as a long one, and a bare long one is worth nothing.
pub(super) fn vqa_case_sensitive(prediction: &str, answers: &Answers) -> f64 {
    let is_short = |answer: &str| words(answer).count() < LONG_WORDS;
    worth_by_form_of_answers(&one_line(prediction), answers, one_line, is_short)
}

/// The same as [`vqa`] for Chinese: without blanks, and an answer is long if it has many parts between
/// commas. Bare answers are treated as in [`vqa_case_sensitive`].
pub(super) fn vqa_cn(prediction: &str, answers: &Answers) -> f64 {
    let normalise = |text: &str| one_line(&text.to_lowercase()).replace(' ', "");
    let is_short = |answer: &str| answer.split(',').count() < LONG_PARTS;
    worth_by_form_of_answers(&normalise(prediction), answers, normalise, is_short)
}

fn worth_by_form_of_answers(
    prediction: &str,
    answers: &Answers,
    normalise: impl Fn(&str) -> String,
    is_short: impl Fn(&str) -> bool,
) -> f64 {
    match answers {
        Answers::One(answer) => {
            let answer = normalise(answer);
            if is_short(&answer) {
                containment(prediction, &answer).max(similarity(prediction, &answer))
            } else {
                0.0
            }
        }
        Answers::List(answers) => best_worth(answers, |answer| {
            let answer = normalise(answer);
            if is_short(&answer) {
                containment(prediction, &answer)
            } else {
                similarity(prediction, &answer)
            }
        }),
    }
}

/// Stripped, with line feeds made blanks.
pub(super) fn one_line(text: &str) -> String {
    strip(text).replace('\n', " ")
}

/// 1 when the answer is a part of the prediction, else 0.
pub(super) fn containment(prediction: &str, answer: &str) -> f64 {
    f64::from(u8::from(prediction.contains(answer)))
}

/// The highest worth of an answer. It is 0 without answers.
pub(super) fn best_worth(answers: &[String], worth: impl Fn(&str) -> f64) -> f64 {
    answers
        .iter()
        .map(|answer| worth(answer))
        .fold(0.0, f64::max)
}

/// 1 − normalised edit distance, if that is large enough.
fn similarity(prediction: &str, answer: &str) -> f64 {
    let similarity = 1.0 - distance::normalised(prediction, answer);
    if similarity >= SIMILAR {
        similarity
    } else {
        0.0
    }
}
