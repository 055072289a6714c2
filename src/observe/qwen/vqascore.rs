//! `qwen-vqascore`: the probability that Qwen2.5-VL answers the question of `vqascore` with "Yes".
//! GenAI-Bench's numbers come from CLIP-FlanT5, so these numbers are not comparable with them.

use super::looker::{Looker, QwenSettings, checkpoint_folders};
use crate::config::Settings;
use crate::model::ModelError;
use crate::observe::vqascore::QUESTION;
use crate::observe::{BuildError, Described, Means, ObserveError, Observer, Subject, pictures};
use crate::record::Item;
use crate::record::evidence::Likelihood;
use serde_json::Value;
use std::path::PathBuf;

/// The answer. The probability of its first token is the score.
const ANSWER: &str = "Yes";

/// The observer.
pub struct QwenVqaScore {
    looker: Looker,
    prompt: String,
    answer: u32,
}

impl QwenVqaScore {
    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let image = pictures::output_pixels(subject, Self::NAME)?;
        let words = self.prompt.replace("{prompt}", &subject.item.prompt);
        let chance = self.looker.chance(image, &words, self.answer);
        let likelihood = chance.map(|vqascore| Likelihood {
            engine: self.looker.engine(),
            vqascore,
            log_probabilities: None,
        });
        pictures::found("vqa", likelihood)
    }
}

impl Described for QwenVqaScore {
    type Settings = QwenSettings;
    const NAME: &'static str = "qwen-vqascore";
    const ABOUT: &'static str = "how likely Qwen2.5-VL is to say that a picture shows its prompt";
    const ON_DEVICE: bool = true;

    fn checkpoints(settings: &Settings) -> Result<Vec<PathBuf>, BuildError> {
        checkpoint_folders(settings)
    }

    fn open(settings: QwenSettings, means: &Means<'_>) -> Result<Self, BuildError> {
        let device = means.device()?;
        let prompt = settings.prompt.clone().unwrap_or_else(|| QUESTION.into());
        if !prompt.contains("{prompt}") {
            return Err(ModelError::Input(format!(
                "observe.{}: `prompt` is {prompt:?}, which has no {{prompt}} in it",
                Self::NAME
            ))
            .into());
        }
        let looker = Looker::open(Self::NAME, &settings, &prompt, 1, &device)?;
        Ok(Self {
            answer: looker.first_token(ANSWER)?,
            looker,
            prompt,
        })
    }
}

impl Observer for QwenVqaScore {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.looker.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        item.prompt.clone().into()
    }

    fn remark(&self) -> Option<String> {
        let asked = if self.prompt == QUESTION {
            String::new()
        } else {
            format!(", asked {:?}", self.prompt)
        };
        Some(format!("scored by Qwen2.5-VL, not officially{asked}"))
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}
