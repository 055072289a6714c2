//! `qwen-vqascore`: the question of `vqascore` put to Qwen2.5-VL: the chance that its answer begins with "Yes". GenAI-Bench's
//! numbers come from CLIP-FlanT5; these are not comparable with them.

use super::{Looker, QwenSettings};
use crate::model::{ModelError, Result};
use crate::observe::vqascore::QUESTION;
use crate::observe::{ObserveError, Observer, Subject, pictures};
use crate::record::Item;
use candle_core::Device;
use serde_json::{Value, json};

/// The answer whose first token's chance is the score.
const ANSWER: &str = "Yes";

/// The observer.
pub struct QwenVqaScore {
    looker: Looker,
    prompt: String,
    answer: u32,
}

impl QwenVqaScore {
    /// Loads the network.
    ///
    /// # Errors
    /// When the checkpoint is absent or damaged, or `prompt` has no place for the picture's prompt.
    pub fn open(settings: QwenSettings, device: &Device) -> Result<Self> {
        let prompt = settings.prompt.clone().unwrap_or_else(|| QUESTION.into());
        if !prompt.contains("{prompt}") {
            return Err(ModelError::Input(format!(
                "observe.qwen-vqascore: `prompt` is {prompt:?}, which has no {{prompt}} in it"
            )));
        }
        let looker = Looker::open("qwen-vqascore", &settings, &prompt, 1, device)?;
        Ok(Self {
            answer: looker.first_token(ANSWER)?,
            looker,
            prompt,
        })
    }

    fn look(&self, subject: &Subject<'_>) -> std::result::Result<Value, ObserveError> {
        let image = pictures::output(subject, "qwen-vqascore")?;
        let words = self.prompt.replace("{prompt}", &subject.item.prompt);
        let chance = self.looker.chance(image, &words, self.answer);
        let chance = chance.map_err(|error| ObserveError::new("vqa", error.to_string()))?;
        Ok(json!({"engine": "qwen2.5-vl", "vqascore": chance}))
    }
}

impl Observer for QwenVqaScore {
    fn name(&self) -> &str {
        "qwen-vqascore"
    }

    fn identity(&self) -> Value {
        self.looker.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        item.prompt.clone().into()
    }

    fn remark(&self) -> Option<String> {
        let asked = match self.prompt == QUESTION {
            true => String::new(),
            false => format!(", asked {:?}", self.prompt),
        };
        Some(format!("scored by Qwen2.5-VL, not officially{asked}"))
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}
