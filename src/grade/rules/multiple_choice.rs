//! `multiple-choice`: the letter of the right option, asked once or in every rotation of the options.

use crate::grade::choice::{self, MOST_OPTIONS};
use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::evidence::TextReading;
use crate::record::{Grade, Item};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The description of `multiple-choice`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<MultipleChoiceOptions>(
    "multiple-choice",
    "Right when the reply chooses the right option; asked once, or in every rotation.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(MultipleChoice(options.read()?))),
);

/// Options of `multiple-choice`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MultipleChoiceOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// Items of one `expect.question` are one question: right when all its `expect.rotations` are (MMBench's
    /// CircularEval).
    pub circular: bool,
}

/// Score 1 when the option that the reply chooses (as `choice::read` reads it) is `expect.answer`, a letter.
/// `expect.options` are the texts. A reply that chooses nothing, or several options, is wrong.
///
/// With `circular`, every rotation of a question has the question's score, and its own score in the part
/// `right`. Averages count a question once, at the output with the part `question`. One wrong rotation makes
/// the question wrong. Otherwise, one rotation without a score leaves the question without a score.
pub(super) struct MultipleChoice(pub MultipleChoiceOptions);

impl Rule for MultipleChoice {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let said = reading::model_words(case, self.0.from, self.0.observer.as_deref());
        said.and_then(|said| verdict(said, case.item))
            .unwrap_or_else(Verdict::unscored)
    }

    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        let score = grade.score?;
        let weight = if self.0.circular {
            grade.parts.get("question").copied().unwrap_or(0.0)
        } else {
            1.0
        };
        Some((score * weight, weight))
    }

    fn settle(&self, items: &[Item], grades: &mut [Grade]) {
        if self.0.circular {
            settle(items, grades);
        }
    }

    /// `plain accuracy` of the questions as published and `accuracy over rotations`, in 0..=1, with
    /// `circular`.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        if !self.0.circular {
            return BTreeMap::new();
        }
        let rotations = Rotation::of_all(board.items);
        let (mut plain, mut all) = (Vec::new(), Vec::new());
        for grade in board.grades {
            let Some(&right) = grade.parts.get("right") else {
                continue;
            };
            all.push(right);
            if rotations
                .get(grade.item.as_str())
                .is_none_or(|r| r.number == 0)
            {
                plain.push(right);
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        [("plain accuracy", plain), ("accuracy over rotations", all)]
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (name.to_owned(), mean(&values)))
            .collect()
    }
}

/// The verdict on one reply.
///
/// # Errors
/// Fails if the item's `expect` is not a multiple-choice question's, worded for the grade's `unscored`.
pub(super) fn verdict(said: &str, item: &Item) -> Result<Verdict, Lack> {
    let (options, answer) = read_question(item).map_err(Lack::of_record)?;
    let choice = choice::read(said, &options);
    let expected = format!(
        "{} ({})",
        choice::letter(answer),
        quote(options.get(answer).map_or("", String::as_str))
    );
    let extracted = match choice.option {
        Some(option) => choice::letter(option).to_string(),
        None => "nothing".to_owned(),
    };
    let correct = choice.option == Some(answer);
    let reason = format!(
        "said {}, extracted {extracted} ({}), expected {expected}",
        quote(said),
        choice.how
    );
    Ok(Verdict::scored(
        f64::from(u8::from(correct)),
        correct,
        reason,
    ))
}

/// The texts of the options, and the index of the right one.
fn read_question(item: &Item) -> Result<(Vec<String>, usize), String> {
    let Some(Value::Array(options)) = item.expect.get("options") else {
        return Err("the item's `expect.options` is not a list".to_owned());
    };
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let texts: Vec<String> =
        options.iter().map(text).collect::<Option<_>>().ok_or(
            "the item's `expect.options` has an element that is neither a text nor a number",
        )?;
    if texts.is_empty() || texts.len() > MOST_OPTIONS {
        return Err(format!(
            "the item has {} options; 1 to {MOST_OPTIONS} can be asked",
            texts.len()
        ));
    }
    let answer = item.expect.get("answer").and_then(Value::as_str);
    let place = answer
        .and_then(|answer| (0..texts.len()).find(|&at| answer == choice::letter(at).to_string()));
    place.map(|place| (texts, place)).ok_or_else(|| {
        format!(
            "the item's `expect.answer` is {}, where the letter of one of its options was expected",
            item.expect.get("answer").unwrap_or(&Value::Null)
        )
    })
}

/// A rotation of a question.
#[derive(Debug, Clone, Copy)]
struct Rotation<'a> {
    question: &'a str,
    number: u64,
    /// The number of rotations of the question.
    of: usize,
}

impl<'a> Rotation<'a> {
    fn of_item(item: &'a Item) -> Option<Self> {
        let number = |key: &str| item.expect.get(key).and_then(Value::as_u64);
        Some(Self {
            question: item.expect.get("question")?.as_str()?,
            number: number("rotation")?,
            of: usize::try_from(number("rotations")?).ok()?,
        })
    }

    fn of_all(items: &'a [Item]) -> HashMap<&'a str, Self> {
        items
            .iter()
            .filter_map(|item| Some((item.item.as_str(), Self::of_item(item)?)))
            .collect()
    }
}

/// Gives every rotation its question's score.
fn settle(items: &[Item], grades: &mut [Grade]) {
    let rotations = Rotation::of_all(items);
    let mut questions: HashMap<(&str, u32), (usize, Vec<usize>)> = HashMap::new();
    for (at, grade) in grades.iter_mut().enumerate() {
        match rotations.get(grade.item.as_str()) {
            Some(rotation) => {
                let key = (rotation.question, grade.repeat);
                let (_, places) = questions.entry(key).or_insert((rotation.of, Vec::new()));
                places.push(at);
            }
            None if grade.score.take().is_some() => {
                grade.unscored = Some(
                    "the item's `expect` lacks `question`, `rotation` and `rotations`, which circular evaluation needs"
                        .to_owned(),
                );
            }
            None => {}
        }
    }
    for (expected, places) in questions.into_values() {
        settle_one(grades, expected, &places);
    }
}

fn settle_one(grades: &mut [Grade], expected: usize, places: &[usize]) {
    let scored: Vec<usize> = places
        .iter()
        .copied()
        .filter(|&at| grades[at].score.is_some())
        .collect();
    let right = |at: &usize| grades[*at].correct == Some(true);
    let good = scored.iter().filter(|at| right(at)).count();
    let wrong = scored.len() - good;
    let missing = expected.saturating_sub(scored.len());
    for (nth, &at) in scored.iter().enumerate() {
        let grade = &mut grades[at];
        let own = f64::from(u8::from(grade.correct == Some(true)));
        let mut parts = BTreeMap::from([("right".to_owned(), own)]);
        if wrong == 0 && missing > 0 {
            grade.score = None;
            grade.correct = None;
            let have = if missing == 1 { "has" } else { "have" };
            grade.unscored = Some(format!(
                "{missing} of the {expected} rotations of this question {have} no score, and the others are right"
            ));
        } else {
            let all = wrong == 0;
            grade.score = Some(f64::from(u8::from(all)));
            grade.correct = Some(all);
            if nth == 0 {
                parts.insert("question".to_owned(), 1.0);
            }
        }
        grade.parts = parts.into();
        grade.reason = format!(
            "{}; right rotations of this question: {good} of {expected}",
            grade.reason
        );
    }
}
