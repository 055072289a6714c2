//! How many letters or words there are (`vqa_metric.py` of OCRBench v2).

use super::answers::Answers;
use super::vqa::{best_worth, containment, one_line};
use crate::python;

/// The worth of the best answer in 0..=1, by the item's `eval`. `exact match` requires it in the prediction.
/// `regression` gives 1 − relative error of the prediction's first number, if that is more than a half. Any
/// other `eval` is worth 0, and so is an answer that is not a whole number.
pub(super) fn counting(prediction: &str, answers: &Answers, eval: Option<&str>) -> f64 {
    let lower = |text: &str| one_line(&text.to_lowercase());
    match (eval, answers) {
        (Some("exact match"), Answers::One(answer)) => {
            containment(&lower(prediction), &lower(answer))
        }
        // In the official script, only a bare answer is compared with the prediction in lower case.
        (Some("exact match"), Answers::List(answers)) => {
            best_worth(answers, |answer| containment(prediction, &lower(answer)))
        }
        (Some("regression"), _) => match python::number::first_number(prediction) {
            Some(said) => best_worth(answers.texts(), |answer| closeness(said, answer)),
            None => 0.0,
        },
        _ => 0.0,
    }
}

fn closeness(said: i128, answer: &str) -> f64 {
    let Some(answer) = python::number::int(answer) else {
        return 0.0;
    };
    if said <= 0 || said >= answer.saturating_mul(2) {
        return 0.0;
    }
    let score = 1.0 - said.abs_diff(answer) as f64 / answer as f64;
    if score > 0.5 { score } else { 0.0 }
}
