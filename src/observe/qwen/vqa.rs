//! `qwen-vqa`: answers to DPG-Bench's questions by Qwen2.5-VL. The benchmark's numbers come from mPLUG, so
//! these numbers are not comparable with them.

use super::looker::{Looker, QwenSettings, checkpoint_folders};
use crate::config::Settings;
use crate::model::ModelError;
use crate::observe::pictures::output_picture;
use crate::observe::questions::questions;
use crate::observe::reply::no_answer;
use crate::observe::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::record::evidence::{Answers, written};
use crate::record::{Item, Object};
use crate::text::thinking;
use serde_json::{Value, json};
use std::path::PathBuf;

const PROMPT: &str = "{question} Answer with one word, yes or no.";

/// The largest number of tokens in a reply.
const LONGEST: usize = 16;

/// The observer.
pub struct QwenVqa {
    looker: Looker,
    prompt: String,
}

impl QwenVqa {
    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let image = output_picture(subject, Self::NAME)?;
        let (mut answers, mut replies) = (Object::new(), Object::new());
        for (id, question) in questions(subject.item) {
            let words = self.prompt.replace("{question}", &question);
            let reply = self.looker.ask(image, &words);
            let reply = reply.map_err(|error| ObserveError::new("vqa", error.to_string()))?;
            let parted = thinking::split_reply(&reply.text);
            if !parted.answered() {
                return Err(no_answer("vqa"));
            }
            answers.insert(id.clone(), first_word(parted.answer()).into());
            replies.insert(id, reply.text.into());
        }
        Ok(written(&Answers {
            engine: Some(self.looker.engine()),
            answers,
            replies: Some(replies),
        })?)
    }
}

/// The first word of a reply in lower case, such as `yes` for `Yes, there is.` The rule accepts only `yes`.
fn first_word(reply: &str) -> String {
    let letters = reply.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word = letters.split(|c: char| !c.is_alphanumeric()).next();
    word.unwrap_or_default().to_lowercase()
}

impl Described for QwenVqa {
    type Settings = QwenSettings;
    const NAME: &'static str = "qwen-vqa";
    const ABOUT: &'static str = "answers to DPG-Bench's questions about a picture, by Qwen2.5-VL";
    const ON_DEVICE: bool = true;

    fn checkpoints(settings: &Settings) -> Result<Vec<PathBuf>, BuildError> {
        checkpoint_folders(settings)
    }

    fn open(settings: QwenSettings, means: &Means<'_>) -> Result<Self, BuildError> {
        let device = means.device()?;
        let prompt = settings.prompt.clone().unwrap_or_else(|| PROMPT.into());
        if !prompt.contains("{question}") {
            return Err(ModelError::Input(format!(
                "observe.{}: `prompt` is {prompt:?}, which has no {{question}} in it",
                Self::NAME
            ))
            .into());
        }
        Ok(Self {
            looker: Looker::open(Self::NAME, &settings, &prompt, LONGEST, &device)?,
            prompt,
        })
    }
}

impl Observer for QwenVqa {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.looker.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        json!(questions(item))
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn a_reply_is_its_first_word() {
        for (reply, word) in [
            ("Yes, there is.", "yes"),
            ("**No**", "no"),
            ("yesterday", "yesterday"),
            ("", ""),
        ] {
            assert_eq!(first_word(reply), word);
        }
    }
}
