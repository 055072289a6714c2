//! Questions with letters for answers (`eval.py` of OCRBench v2).

use super::answers::Answers;
use super::vqa::{best_worth, containment};
use regex::Regex;
use std::sync::LazyLock;

/// Everything that Python's `str.isalpha` refuses.
#[expect(clippy::unwrap_used, reason = "a pattern written here")]
static NO_LETTERS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\P{L}+").unwrap());

/// What may be between the letters of an answer.
const JOINTS: [&str; 10] = ["", ".", ". ", ",", ", ", "、", ";", "; ", " ", "和"];

/// 1 when the prediction's letters equal the answer, including the case; else 0.
pub(super) fn multiple_choice(prediction: &str, answers: &Answers) -> f64 {
    let letters = NO_LETTERS.replace_all(prediction, "");
    best_worth(answers.texts(), |answer| {
        f64::from(u8::from(letters == answer))
    })
}

/// 1 when the prediction contains the letters of the answer in their order, joined in one of ten ways; else
/// 0.
pub(super) fn joined_letters(prediction: &str, answers: &Answers) -> f64 {
    best_worth(answers.texts(), |answer| {
        let letters: Vec<String> = answer.chars().map(String::from).collect();
        let joined = JOINTS.iter().map(|joint| letters.join(joint));
        joined
            .map(|answer| containment(prediction, &answer))
            .fold(0.0, f64::max)
    })
}
