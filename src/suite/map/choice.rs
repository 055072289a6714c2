//! Multiple-choice questions: their options, and the same question with the options rotated.

use super::fields::plain;
use crate::config::{ChoiceMapping, Flaw, Names};
use crate::record::Object;
use crate::suite::error::Wrong;
use serde_json::Value;

/// The most options that a question may have: each has a letter.
const MOST: usize = 26;

/// The options of a question and the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub options: Vec<String>,
    /// The place of the right option, from 0.
    pub answer: usize,
}

/// The fields that the mapping reads, and whether each must be there.
pub(super) fn fields(choice: &ChoiceMapping) -> Vec<(&str, bool)> {
    let options = choice.options.names().iter().enumerate();
    // Tables have columns for different numbers of options.
    let options = options.map(|(at, name)| (name.as_str(), at == 0));
    options.chain([(choice.answer.as_str(), true)]).collect()
}

impl Question {
    /// The question of a record. `None` if it has no options.
    ///
    /// # Errors
    /// Fails if options or answer are not what the mapping says.
    pub(super) fn of_record(
        choice: &ChoiceMapping,
        fields: &Object,
        leave_out: &[Flaw],
    ) -> Result<Option<Self>, Wrong> {
        let options = match &choice.options {
            Names::One(name) => {
                let options = of_list(name, fields.get(name))?;
                // A list has exactly its options, and is asked as it is unless the suite says
                // otherwise.
                let empty = options.iter().any(|option| option.trim().is_empty());
                if empty && leave_out.contains(&Flaw::EmptyOption) {
                    let message = format!("an option of the field `{name}` is empty");
                    return Err(Flaw::EmptyOption.wrong(message));
                }
                options
            }
            Names::Several(names) => of_columns(names, fields)?,
        };
        if options.is_empty() {
            return Ok(None);
        }
        if options.len() > MOST {
            return Err(Wrong::from(format!(
                "the question has {} options; at most {MOST} are possible",
                options.len()
            )));
        }
        let right = fields.get(&choice.answer);
        let answer = answer(&choice.answer, right, &options).map_err(|message| {
            if is_empty_column(&choice.options, right, options.len()) {
                Flaw::EmptyOption.wrong(message)
            } else {
                message.into()
            }
        })?;
        Ok(Some(Self { options, answer }))
    }

    /// The same question with the first `by` options moved to the end.
    pub(super) fn rotated(&self, by: usize) -> Self {
        let count = self.options.len();
        let mut options = self.options.clone();
        options.rotate_left(by % count);
        Self {
            options,
            answer: (self.answer + count - by % count) % count,
        }
    }

    /// One line for each option: `A. a cat`.
    pub(super) fn lines(&self) -> String {
        let options = self.options.iter().enumerate();
        let lines: Vec<String> = options
            .map(|(at, option)| format!("{}. {option}", letter(at)))
            .collect();
        lines.join("\n")
    }

    /// Adds what the grader needs.
    pub(super) fn add_to(&self, expect: &mut Object) {
        expect.insert("options".into(), self.options.clone().into());
        expect.insert("answer".into(), letter(self.answer).to_string().into());
    }
}

fn letter(at: usize) -> char {
    u8::try_from(at)
        .ok()
        .and_then(|at| b'A'.checked_add(at))
        .map_or('?', char::from)
}

fn of_list(name: &str, value: Option<&Value>) -> Result<Vec<String>, String> {
    let wrong = || {
        format!(
            "the field `{name}` must be a list of options; add it to `lists` if it is a list in the form of a text"
        )
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(options)) => {
            let texts = options.iter().map(|option| plain(option).ok_or_else(wrong));
            texts.collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// Whether the right option is in a column after those that hold the options.
fn is_empty_column(columns: &Names, right: Option<&Value>, options: usize) -> bool {
    let place = match right {
        Some(Value::Number(number)) => number.as_u64().and_then(|at| usize::try_from(at).ok()),
        Some(Value::String(text)) => (0..MOST).find(|&at| text.trim() == letter(at).to_string()),
        _ => None,
    };
    let columns = match columns {
        Names::One(_) => 0,
        Names::Several(names) => names.len(),
    };
    place.is_some_and(|place| (options..columns).contains(&place))
}

fn of_columns(names: &[String], fields: &Object) -> Result<Vec<String>, Wrong> {
    let mut options: Vec<String> = Vec::new();
    let mut empty: Option<&String> = None;
    for name in names {
        let text = fields.get(name).and_then(plain).unwrap_or_default();
        match (text.trim().is_empty(), empty) {
            (true, _) => empty = empty.or(Some(name)),
            (false, None) => options.push(text),
            (false, Some(before)) => {
                return Err(Flaw::EmptyOption.wrong(format!(
                    "the option `{before}` is empty, but the later option `{name}` is not"
                )));
            }
        }
    }
    Ok(options)
}

fn answer(name: &str, value: Option<&Value>, options: &[String]) -> Result<usize, String> {
    let wrong = |what: String| {
        format!(
            "the field `{name}` is {what}, which is neither the letter nor the text of one of the {} options",
            options.len()
        )
    };
    match value {
        Some(Value::Number(number)) => {
            let place = number
                .as_u64()
                .and_then(|place| usize::try_from(place).ok());
            place
                .filter(|place| *place < options.len())
                .ok_or_else(|| wrong(number.to_string()))
        }
        Some(Value::String(text)) => {
            let text = text.trim();
            let by_letter = (0..options.len()).find(|&at| text == letter(at).to_string());
            if let Some(place) = by_letter {
                return Ok(place);
            }
            let mut same = (0..options.len()).filter(|&at| options[at].trim() == text);
            match (same.next(), same.next()) {
                (Some(place), None) => Ok(place),
                _ => Err(wrong(format!("{text:?}"))),
            }
        }
        _ => Err(wrong("missing".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_rotation_has_the_right_option_at_its_letter(
            options in prop::collection::vec("[a-z]{1,4}", 1..8),
            answer in 0usize..8,
            by in 0usize..8,
        ) {
            let answer = answer % options.len();
            let question = Question { options: options.clone(), answer };
            let turned = question.rotated(by);
            prop_assert_eq!(&turned.options[turned.answer], &options[answer]);
            prop_assert_eq!(turned.rotated(options.len() - by % options.len()), question);
        }
    }
}
