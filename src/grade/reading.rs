//! How the built-in rules read the model's words and the right answers.

use super::lack::Lack;
use super::lookup;
use super::rule::Case;
use crate::record::evidence::{TextReading, text_alone};
use crate::text::normalise::Normalise;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// Whose words are graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum From {
    /// The output's own text, for suites that ask a model to understand.
    #[default]
    Output,
    /// What an OCR observer read in the output's picture.
    Ocr,
}

/// The graded words and the answers they are compared with, as given and as compared.
pub(super) struct Reading<'a> {
    /// As given.
    pub said: &'a str,
    /// `said` after normalisation.
    pub compared: String,
    /// The accepted answers, in the item's order.
    pub answers: Vec<Answer<'a>>,
}

/// One accepted answer.
pub(super) struct Answer<'a> {
    /// As the item gives it.
    pub given: Cow<'a, str>,
    /// `given` after normalisation.
    pub compared: String,
}

/// Reads both sides of the comparison.
///
/// # Errors
/// Fails if there is nothing to compare. The error is worded for the grade's `unscored`.
pub(super) fn read<'a>(
    case: &Case<'a>,
    from: From,
    observer: Option<&str>,
    normalise: &Normalise,
) -> Result<Reading<'a>, Lack> {
    let said = model_words(case, from, observer)?;
    let answers = answers(case)?
        .into_iter()
        .map(|given| Answer {
            compared: normalise.apply(&given),
            given,
        })
        .collect();
    Ok(Reading {
        said,
        compared: normalise.apply(said),
        answers,
    })
}

/// The model's words.
///
/// # Errors
/// Fails if there are none. The error is worded for the grade's `unscored`.
pub(super) fn model_words<'a>(
    case: &Case<'a>,
    from: From,
    observer: Option<&str>,
) -> Result<&'a str, Lack> {
    match from {
        From::Output => case
            .output
            .ok_or(Lack::of_record(
                "missing output: this rule grades the output's text, or `from = \"ocr\"`",
            ))?
            .text
            .as_deref()
            .ok_or(Lack::of_record(
                "the output has no text; grade pictures with `from = \"ocr\"`",
            )),
        From::Ocr => text_alone(lookup::find(case, TextReading::KEY, observer)?)
            .ok_or_else(|| "malformed evidence: `text` is not a string".into()),
    }
}

/// `expect.answers` (a string, a number, or a list of them), or else `expect.texts` joined by one blank.
///
/// # Errors
/// Fails if there are none. The error is worded for the grade's `unscored`.
pub(super) fn answers<'a>(case: &Case<'a>) -> Result<Vec<Cow<'a, str>>, Lack> {
    let expect = &case.item.expect;
    let answers = match (expect.get("answers"), expect.get("texts")) {
        (Some(Value::Array(list)), _) => list
            .iter()
            .map(|answer| answer_text("answers", answer))
            .collect::<Result<Vec<_>, _>>()?,
        (Some(answer), _) => vec![answer_text("answers", answer)?],
        (None, Some(Value::Array(list))) => {
            let texts = list
                .iter()
                .map(|text| answer_text("texts", text))
                .collect::<Result<Vec<_>, _>>()?;
            vec![Cow::Owned(texts.join(" "))]
        }
        (None, Some(text)) => vec![answer_text("texts", text)?],
        (None, None) => {
            let words = "the item's `expect` has neither `answers` nor `texts`";
            return Err(Lack::of_record(words));
        }
    };
    if answers.is_empty() {
        return Err(Lack::of_record(
            "the item's `expect.answers` is an empty list",
        ));
    }
    Ok(answers)
}

fn answer_text<'a>(key: &str, value: &'a Value) -> Result<Cow<'a, str>, Lack> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) => Ok(Cow::Owned(number.to_string())),
        other => Err(Lack::of_record(format!(
            "the item's `expect.{key}` has {other}, where a string or a number was expected"
        ))),
    }
}

/// A text in quotation marks for a `reason`, cut after 120 characters.
pub(super) fn quote(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("“{}…”", &text[..end]),
        None => format!("“{text}”"),
    }
}
