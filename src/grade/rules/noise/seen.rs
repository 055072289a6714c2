//! What is recognised: the things of a scene of the miniature world, one of several options, or a word.

use super::expected;
use crate::grade::choice;
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::reading::quote;
use crate::grade::rule::Case;
use crate::record::evidence::{Answered, Answers, Detections, TextReading, text_alone};
use crate::record::mini_words::{MiniThing, things_in};
use serde::Deserialize;
use serde_json::Value;

/// The side of a cell of the miniature world, in pixels.
const CELL: f64 = 8.0;
/// The question that a reader of pictures answers.
const QUESTION: &str = "what";

/// What was recognised in one output.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recognition {
    pub right: bool,
    /// Nothing of the set was recognised.
    pub nothing: bool,
    /// The share of things that are right, of a scene.
    pub things: Option<f64>,
    /// What was recognised, in words.
    pub said: String,
}

/// What an output's picture or words say.
///
/// # Errors
/// Fails if there is nothing to read.
pub(super) fn recognise(case: &Case<'_>, reader: Option<&str>) -> Result<Recognition, Lack> {
    let words = case.output.and_then(|output| output.text.as_deref());
    if let Some(scene) = case.item.expect.get("scene") {
        let truth = scene_things(scene)?;
        return match words {
            Some(words) => Ok(compare(&truth, &things_in(words))),
            None => detected(case, reader, &truth),
        };
    }
    if case.item.expect.contains_key("options") {
        return match words {
            Some(words) => chosen(case, words),
            None => {
                let evidence = lookup::find(case, Answers::KEY, reader)?;
                let answered = Answered::read(evidence);
                let word = answered.and_then(|answered| answered.word(QUESTION));
                let word = word.ok_or("malformed evidence: no answer to the question `what`")?;
                chosen(case, &word)
            }
        };
    }
    match words {
        Some(words) => named(case, words),
        None => {
            let evidence = lookup::find(case, TextReading::KEY, reader)?;
            let read = text_alone(evidence).ok_or("malformed evidence: `text` is not a string")?;
            named(case, read)
        }
    }
}

/// The things of `expect.scene`.
fn scene_things(scene: &Value) -> Result<Vec<MiniThing>, Lack> {
    Vec::deserialize(scene)
        .map_err(|error| Lack::of_record(format!("the item's `expect.scene`: {error}")))
}

/// What the exact observer sees.
fn detected(
    case: &Case<'_>,
    reader: Option<&str>,
    truth: &[MiniThing],
) -> Result<Recognition, Lack> {
    let evidence = lookup::find(case, Detections::KEY, reader)?;
    let found = lookup::detections(evidence)
        .map_err(|error| format!("malformed detector evidence: {error}"))?;
    let things = found.iter().filter_map(|object| {
        let object = object.get()?;
        let [left, top, right, bottom] = *object.bbox.get()?;
        let cell = |from: f64, to: f64| ((from + to + 1.0) / 2.0 / CELL).max(0.0) as u64;
        let (class, color) = (object.class.text(), object.color.text());
        let (row, column) = (cell(top, bottom), cell(left, right));
        Some(MiniThing {
            shape: class.to_owned(),
            color: color.to_owned(),
            row,
            column,
        })
    });
    let things: Vec<MiniThing> = things.collect();
    let unknown = evidence["unknown"].as_u64().unwrap_or_default() > 0;
    let letters = !text_alone(evidence).unwrap_or_default().is_empty();
    let mut seen = compare(truth, &things);
    seen.right &= !unknown && !letters;
    seen.nothing = !seen.right && (unknown || things.is_empty());
    Ok(seen)
}

/// Compares things.
fn compare(truth: &[MiniThing], found: &[MiniThing]) -> Recognition {
    let mut left: Vec<&MiniThing> = found.iter().collect();
    let matched = truth.iter().filter(|thing| {
        let place = left.iter().position(|other| other == thing);
        place.map(|place| left.remove(place)).is_some()
    });
    let matched = matched.count();
    let most = truth.len().max(found.len());
    let right = matched == most;
    let names = found.iter().map(|thing| {
        let MiniThing { shape, color, .. } = thing;
        let (row, column) = (thing.row + 1, thing.column + 1);
        format!("{color} {shape} at row {row}, column {column}")
    });
    let names: Vec<String> = names.collect();
    Recognition {
        right,
        nothing: !right && found.is_empty(),
        things: Some(if most == 0 {
            1.0
        } else {
            matched as f64 / most as f64
        }),
        said: names.join("; "),
    }
}

/// The option that a reply chooses.
fn chosen(case: &Case<'_>, words: &str) -> Result<Recognition, Lack> {
    let options = case.item.expect.get("options").and_then(Value::as_array);
    let options = options.into_iter().flatten().filter_map(Value::as_str);
    let options: Vec<String> = options.map(str::to_owned).collect();
    let answer = expected(case, "answer").ok_or(Lack::of_record(
        "the item's `expect` has `options` but no `answer`, which is the letter of the right one",
    ))?;
    let option = choice::read(words, &options).option;
    let text = option.and_then(|option| options.get(option)).cloned();
    Ok(Recognition {
        right: option.is_some_and(|option| answer.starts_with(choice::letter(option))),
        nothing: option.is_none(),
        things: None,
        said: text.unwrap_or_else(|| quote(words)),
    })
}

/// Whether the label, or another accepted answer, is among the words. With `expect.labels`, which has all labels of
/// the set, only another one of them is a swap.
fn named(case: &Case<'_>, words: &str) -> Result<Recognition, Lack> {
    let accepted = case.item.expect.get("answers").and_then(Value::as_array);
    let accepted = accepted.into_iter().flatten().filter_map(Value::as_str);
    let accepted: Vec<&str> = expected(case, "label")
        .into_iter()
        .chain(accepted)
        .collect();
    if accepted.is_empty() {
        return Err(Lack::of_record(
            "the item's `expect` has neither `label` nor `answers`",
        ));
    }
    let said = whole_words(words);
    let right = accepted
        .iter()
        .any(|label| said.contains(&whole_words(label)));
    let labels = case.item.expect.get("labels").and_then(Value::as_array);
    let named = labels.map(|labels| {
        let labels = labels.iter().filter_map(Value::as_str);
        let mut said_labels = labels.filter(|label| said.contains(&whole_words(label)));
        said_labels.next()
    });
    // Without `expect.labels` the other labels of the set are not known, so every other word counts as one.
    let (swapped, answer) = match named {
        Some(label) => (label.is_some(), label.map(str::to_owned)),
        None => (!said.trim().is_empty(), None),
    };
    Ok(Recognition {
        right,
        nothing: !right && !swapped,
        things: None,
        said: answer.unwrap_or_else(|| quote(words)),
    })
}

/// The words in lower case, each between blanks.
fn whole_words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    format!(" {} ", words.join(" "))
}
