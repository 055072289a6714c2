//! `qwen-ocr`: the text in a picture, read by Qwen2.5-VL, which LongText-Bench and OneIG use for this.

use super::looker::{Looker, QwenSettings, checkpoint_folders};
use crate::config::Settings;
use crate::observe::pictures::output_picture;
use crate::observe::{BuildError, Described, Means, ObserveError, Observer, Subject, reply};
use crate::record::evidence::written;
use serde_json::Value;
use std::path::PathBuf;

/// The question in the wording of this program. The official instruction can be given in the setting
/// `prompt`.
pub(in crate::observe) const PROMPT: &str = "Write down all text that can be read in this picture, in reading order and exactly as it is \
written, and nothing else. Write a text that stands there once only once. If there is no text, reply: No text recognized.";

/// The largest number of tokens in a reply, as in the official script.
pub(in crate::observe) const LONGEST: usize = 1024;

/// The observer.
pub struct QwenOcr {
    looker: Looker,
    prompt: String,
}

impl QwenOcr {
    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let image = output_picture(subject, Self::NAME)?;
        let said = self.looker.ask(image, &self.prompt);
        let said = said.map_err(|error| ObserveError::new("ocr", error.to_string()))?;
        let mut read = reply::reading(self.looker.engine(), &said.text)?;
        read.truncated = Some(said.truncated);
        Ok(written(&read)?)
    }
}

impl Described for QwenOcr {
    type Settings = QwenSettings;
    const NAME: &'static str = "qwen-ocr";
    const ABOUT: &'static str = "the text in a picture, read by Qwen2.5-VL";
    const ON_DEVICE: bool = true;
    const PLACES: &'static [&'static str] = &["checkpoint"];

    fn checkpoints(settings: &Settings) -> Result<Vec<PathBuf>, BuildError> {
        checkpoint_folders(settings)
    }

    fn engine(_: &Settings) -> Result<Option<String>, BuildError> {
        Ok(Some("Qwen2.5-VL".into()))
    }

    fn open(settings: QwenSettings, means: &Means<'_>) -> Result<Self, BuildError> {
        let prompt = settings.prompt.clone().unwrap_or_else(|| PROMPT.into());
        let device = means.device()?;
        Ok(Self {
            looker: Looker::open(Self::NAME, &settings, &prompt, LONGEST, &device)?,
            prompt,
        })
    }
}

impl Observer for QwenOcr {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.looker.identity.clone()
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}
