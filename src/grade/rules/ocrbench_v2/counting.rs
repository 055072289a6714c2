//! How many letters or words there are (`vqa_metric.py` of OCRBench v2).

use super::answers::Answers;
use super::vqa::{best, contained, plain};
use crate::python;

/// The best answer's worth in 0..=1, by the item's `eval`: `exact match` wants it in the prediction;
/// `regression` gives 1 − relative error of the prediction's first number, where that is more than a half.
/// Anything else is worth 0, as is an answer that is not a whole number.
pub(super) fn counting(prediction: &str, answers: &Answers, eval: Option<&str>) -> f64 {
    let lower = |text: &str| plain(&text.to_lowercase());
    match (eval, answers) {
        (Some("exact match"), Answers::One(answer)) => {
            contained(&lower(prediction), &lower(answer))
        }
        // As officially, only a bare answer meets a prediction in lower case.
        (Some("exact match"), Answers::List(answers)) => {
            best(answers, |answer| contained(prediction, &lower(answer)))
        }
        (Some("regression"), _) => match python::number::first_number(prediction) {
            Some(said) => best(answers.all(), |answer| near(said, answer)),
            None => 0.0,
        },
        _ => 0.0,
    }
}

fn near(said: i128, answer: &str) -> f64 {
    let Some(answer) = python::number::int(answer) else {
        return 0.0;
    };
    if said <= 0 || said >= answer.saturating_mul(2) {
        return 0.0;
    }
    let score = 1.0 - said.abs_diff(answer) as f64 / answer as f64;
    if score > 0.5 { score } else { 0.0 }
}
