//! Questions whose answer is a text and its box.

use super::boxes::{self, Box4};
use super::dictionary::Pairs;
use crate::python;

/// The prediction's `answer`.
pub(super) fn answer(predicted: &Pairs) -> Option<&str> {
    value(predicted, "answer")
}

/// The intersection over union of the prediction's `bbox` and the right one. It is 0 if the prediction's
/// cannot be read.
pub(super) fn iou(predicted: &Pairs, gold: Result<Box4, String>) -> f64 {
    let literal = value(predicted, "bbox").and_then(python::literal::parse);
    let said = literal.and_then(|value| boxes::of_value(&value).ok());
    match (said, gold) {
        (Some(said), Ok(gold)) => boxes::iou(said, gold),
        _ => 0.0,
    }
}

fn value<'a>(predicted: &'a Pairs, name: &str) -> Option<&'a str> {
    let mut pairs = predicted.iter();
    pairs.find(|(key, _)| key == name).map(|(_, v)| v.as_str())
}
