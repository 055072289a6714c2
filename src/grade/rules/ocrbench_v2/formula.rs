//! Formulas in LaTeX (`vqa_metric.py` of OCRBench v2).

use super::answers::Answers;
use super::vqa::{best_worth, containment, one_line};
use regex::Regex;
use std::sync::LazyLock;

/// A wrapper without braces inside.
#[expect(clippy::unwrap_used, reason = "a pattern written here")]
static TEXT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\\text\{([^{}]*)\}").unwrap());

/// 1 when the prediction contains an answer, both without blanks and line feeds; else 0. `drop_text` takes
/// the content out of `\text{…}` on both sides first (Chinese formulas); then a prediction `nan` counts as
/// missing.
pub(super) fn formula(prediction: &str, answers: &Answers, drop_text: bool) -> f64 {
    if drop_text && prediction.to_lowercase() == "nan" {
        return 0.0;
    }
    let normalise = |text: &str| {
        if drop_text {
            one_line(&TEXT.replace_all(text, "$1")).replace(' ', "")
        } else {
            one_line(text).replace(' ', "")
        }
    };
    let prediction = normalise(prediction);
    best_worth(answers.texts(), |answer| {
        containment(&prediction, &normalise(answer))
    })
}
