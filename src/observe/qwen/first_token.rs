//! `qwen-first-token`: how likely Qwen3-VL is to begin its answers with the words that GenEval 2 accepts
//! (`evaluation.py` of facebookresearch/GenEval2, commit a6e82d2).

use super::looker::{Looker, QwenSettings};
use crate::config::Settings;
use crate::model::{ModelError, Result};
use crate::observe::pictures::output_pixels;
use crate::observe::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::record::Item;
use crate::record::evidence::{FirstToken, FirstTokens, written};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The official question.
const PROMPT: &str = "{question} Answer in one word.";
/// The name of the official judge's family in evidence.
const OFFICIAL: &str = "qwen3-vl";
/// The words for 1 to 10.
const NUMBERS: [&str; 10] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
];

/// Settings of the observer `qwen-first-token`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FirstTokenSettings {
    /// The folder of a Qwen3-VL (dense) or Qwen2.5-VL as it is published. `unigauge fetch qwen3-vl-8b` fetches
    /// the default, which is the official judge.
    pub checkpoint: PathBuf,
    /// The question, with `{question}` in it.
    pub prompt: String,
    /// Smallest area of a picture, in pixels. A smaller picture is enlarged.
    pub min_pixels: u64,
    /// Largest area of a picture, in pixels. A larger picture is shrunk.
    pub max_pixels: u64,
    /// How many of the most likely tokens are listed beside the accepted ones.
    pub top: usize,
}

impl Default for FirstTokenSettings {
    fn default() -> Self {
        Self {
            checkpoint: "checkpoints/qwen3-vl-8b".into(),
            prompt: PROMPT.into(),
            min_pixels: 65_536,
            max_pixels: 16_777_216,
            top: 20,
        }
    }
}

/// The observer.
pub struct QwenFirstToken {
    looker: Looker,
    settings: FirstTokenSettings,
    identity: Value,
}

/// A question of an item and its expected answer.
type Question = (String, String);

/// The questions of an item, in order.
fn questions(item: &Item) -> std::result::Result<Vec<Question>, ObserveError> {
    let rows = item.expect.get("vqa_list").cloned().unwrap_or_default();
    let questions: Vec<Question> = serde_json::from_value(rows).map_err(|error| {
        let words = format!("the item's `vqa_list` is no list of questions with answers: {error}");
        ObserveError::new("metadata", words)
    })?;
    if questions.is_empty() {
        let words = "the item's `vqa_list` has no questions";
        return Err(ObserveError::new("metadata", words));
    }
    Ok(questions)
}

/// The forms of the expected answer that the official script accepts, in its order. Only answers to questions
/// of number depend on what is expected.
fn accepted(question: &str, answer: &str) -> Vec<String> {
    if !question.starts_with("How many") {
        return ["Yes", "yes", " yes", " Yes"].map(str::to_owned).into();
    }
    let number = NUMBERS.iter().position(|word| *word == answer);
    let digits = number.map_or_else(|| "other".to_owned(), |at| (at + 1).to_string());
    let capital = capitalised(answer);
    let blank = |word: &str| format!(" {word}");
    let blanks = [blank(answer), blank(&capital), blank(&digits)];
    let [answer_after, capital_after, digits_after] = blanks;
    vec![
        answer.to_owned(),
        capital,
        answer_after,
        capital_after,
        digits,
        digits_after,
    ]
}

/// The first letter large and the others small, as Python's `capitalize` writes a word of plain letters.
fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first
        .chain(letters.as_str().to_lowercase().chars())
        .collect()
}

/// The ids of the `count` largest probabilities, falling. Of equal ones, the smaller id comes first.
fn largest(chances: &[f32], count: usize) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..).take(chances.len()).collect();
    let falling = |a: &u32, b: &u32| {
        let of = |id: &u32| chances[*id as usize];
        of(b).total_cmp(&of(a)).then(a.cmp(b))
    };
    let count = count.min(ids.len());
    if count < ids.len() {
        ids.select_nth_unstable_by(count, falling);
        ids.truncate(count);
    }
    ids.sort_by(falling);
    ids
}

impl QwenFirstToken {
    fn look(&self, subject: &Subject<'_>) -> std::result::Result<Value, ObserveError> {
        let image = output_pixels(subject, Self::NAME)?;
        let fault = |error: ModelError| ObserveError::new("vqa", error.to_string());
        let mut seen = FirstTokens {
            engine: self.looker.engine(),
            k: self.settings.top,
            ..FirstTokens::default()
        };
        for (at, (question, answer)) in questions(subject.item)?.iter().enumerate() {
            let forms = accepted(question, answer);
            let (token, answer) = self.ask(image, question, forms).map_err(fault)?;
            seen.answers.insert(at.to_string(), answer.into());
            seen.first.insert(at.to_string(), written(&token)?);
        }
        Ok(written(&seen)?)
    }

    /// The probabilities of the forms and of the most likely tokens, and the most likely token as text.
    fn ask(
        &self,
        image: &RgbImage,
        question: &str,
        texts: Vec<String>,
    ) -> Result<(FirstToken, String)> {
        let words = self.settings.prompt.replace("{question}", question);
        let chances: Vec<f32> = self.looker.chances(image, &words)?.to_vec1()?;
        let first = |text: &String| self.looker.first_token(text);
        let forms: Vec<u32> = texts.iter().map(first).collect::<Result<_>>()?;
        let top = largest(&chances, self.settings.top);
        let (mut p, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        for id in forms.iter().chain(&top) {
            let chance = chances.get(*id as usize).ok_or_else(|| {
                ModelError::Input(format!(
                    "the tokenizer has token {id}, but the network has only {} tokens",
                    chances.len()
                ))
            })?;
            p.insert(*id, f64::from(*chance));
            tokens.insert(*id, self.looker.token_text(*id)?);
        }
        let best = largest(&chances, 1).first().copied().unwrap_or_default();
        let token = FirstToken {
            texts,
            forms,
            p,
            words: tokens,
            top,
        };
        Ok((token, self.looker.token_text(best)?))
    }
}

impl Described for QwenFirstToken {
    type Settings = FirstTokenSettings;
    const NAME: &'static str = "qwen-first-token";
    const ABOUT: &'static str = "how likely Qwen3-VL is to begin its answers to GenEval 2's questions with the accepted words";
    const ON_DEVICE: bool = true;

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        Ok(vec![settings.read::<FirstTokenSettings>()?.checkpoint])
    }

    fn open(
        settings: FirstTokenSettings,
        means: &Means<'_>,
    ) -> std::result::Result<Self, BuildError> {
        if !settings.prompt.contains("{question}") {
            return Err(ModelError::Input(format!(
                "observe.{}: `prompt` is {:?}, which has no {{question}} in it",
                Self::NAME,
                settings.prompt
            ))
            .into());
        }
        let device = means.device()?;
        let network = QwenSettings {
            checkpoint: settings.checkpoint.clone(),
            min_pixels: settings.min_pixels,
            max_pixels: settings.max_pixels,
            // The scores of the first token are those of the network: nothing was said before it.
            repetition_penalty: 1.0,
            ..QwenSettings::default()
        };
        let looker = Looker::open(Self::NAME, &network, &settings.prompt, 1, &device)?;
        let mut identity = looker.identity.clone();
        identity["top"] = json!(settings.top);
        Ok(Self {
            looker,
            settings,
            identity,
        })
    }
}

impl Observer for QwenFirstToken {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        item.expect.get("vqa_list").cloned().unwrap_or_default()
    }

    /// Probabilities depend on the judge and on the numbers that it computes in.
    fn remark(&self) -> Option<String> {
        let folder = self.settings.checkpoint.file_name();
        let folder = folder.map(|name| name.to_string_lossy().into_owned());
        let judge = folder.unwrap_or_else(|| self.looker.engine().to_owned());
        let official = if self.looker.engine() == OFFICIAL {
            ""
        } else {
            ", not officially"
        };
        let asked = if self.settings.prompt == PROMPT {
            String::new()
        } else {
            format!(", asked {:?}", self.settings.prompt)
        };
        let dtype = self.looker.dtype();
        Some(format!("answered by {judge} in {dtype}{official}{asked}"))
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_the_official_script() {
        let yes = ["Yes", "yes", " yes", " Yes"];
        assert_eq!(accepted("Is there a cat?", "No"), yes);
        assert_eq!(accepted("how many cats are there?", "two"), yes);
        let two = ["two", "Two", " two", " Two", "2", " 2"];
        assert_eq!(accepted("How many cats are there?", "two"), two);
        let eleven = ["eleven", "Eleven", " eleven", " Eleven", "other", " other"];
        assert_eq!(accepted("How many cats are there?", "eleven"), eleven);
        // The number is looked up by its word in small letters.
        let large = ["TWO", "Two", " TWO", " Two", "other", " other"];
        assert_eq!(accepted("How many", "TWO"), large);
    }

    #[test]
    fn the_largest_come_first_and_of_equals_the_smaller_id() {
        let chances = [0.1, 0.3, 0.2, 0.3, 0.1];
        assert_eq!(largest(&chances, 3), [1, 3, 2]);
        assert_eq!(largest(&chances, 9), [1, 3, 2, 0, 4]);
        assert!(largest(&chances, 0).is_empty());
    }
}
