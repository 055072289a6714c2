//! `qwen-vqa`: DPG-Bench's questions answered by Qwen2.5-VL. The benchmark's numbers come from mPLUG; these are not
//! comparable with them.

use super::{Looker, QwenSettings, picture};
use crate::model::{ModelError, Result};
use crate::observe::questions::questions;
use crate::observe::reply::no_answer;
use crate::observe::{ObserveError, Observer, Subject};
use crate::record::{Item, Object};
use crate::text::thinking;
use candle_core::Device;
use serde_json::{Value, json};

const PROMPT: &str = "{question} Answer with one word, yes or no.";

/// Tokens of a reply.
const LONGEST: usize = 16;

/// The observer.
pub struct QwenVqa {
    looker: Looker,
    prompt: String,
}

impl QwenVqa {
    /// Loads the network.
    ///
    /// # Errors
    /// When the checkpoint is absent or damaged, or `prompt` has no place for the question.
    pub fn open(settings: QwenSettings, device: &Device) -> Result<Self> {
        let prompt = settings.prompt.clone().unwrap_or_else(|| PROMPT.into());
        if !prompt.contains("{question}") {
            return Err(ModelError::Input(format!(
                "observe.qwen-vqa: `prompt` is {prompt:?}, which has no {{question}} in it"
            )));
        }
        Ok(Self {
            looker: Looker::open("qwen-vqa", &settings, &prompt, LONGEST, device)?,
            prompt,
        })
    }

    fn look(&self, subject: &Subject<'_>) -> std::result::Result<Value, ObserveError> {
        let image = picture("qwen-vqa", subject)?;
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
        Ok(json!({"engine": "qwen2.5-vl", "answers": answers, "replies": replies}))
    }
}

/// The first word of a reply in small letters, `Yes, there is.` → `yes`; the rule takes nothing but `yes` for one.
fn first_word(reply: &str) -> String {
    let letters = reply.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word = letters.split(|c: char| !c.is_alphanumeric()).next();
    word.unwrap_or_default().to_lowercase()
}

impl Observer for QwenVqa {
    fn name(&self) -> &str {
        "qwen-vqa"
    }

    fn identity(&self) -> Value {
        self.looker.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        json!(questions(item))
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
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
