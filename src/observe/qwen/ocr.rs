//! `qwen-ocr`: what is written in a picture, read by Qwen2.5-VL, the reader of LongText-Bench and OneIG.

use super::{Looker, QwenSettings, picture};
use crate::model::Result;
use crate::observe::{ObserveError, Observer, Subject, reply};
use candle_core::Device;
use serde_json::{Value, json};

/// In our own words; the official instruction goes into the setting `prompt`.
pub(in crate::observe) const PROMPT: &str = "Write down all text that can be read in this picture, in reading order and exactly as it is \
written, and nothing else. Write a text that stands there once only once. If there is no text, reply: No text recognized.";

/// Tokens of a reply, as officially.
pub(in crate::observe) const LONGEST: usize = 1024;

/// The observer.
pub struct QwenOcr {
    looker: Looker,
    prompt: String,
}

impl QwenOcr {
    /// Loads the network.
    ///
    /// # Errors
    /// When the checkpoint is absent or damaged.
    pub fn open(settings: QwenSettings, device: &Device) -> Result<Self> {
        let prompt = settings.prompt.clone().unwrap_or_else(|| PROMPT.into());
        Ok(Self {
            looker: Looker::open("qwen-ocr", &settings, &prompt, LONGEST, device)?,
            prompt,
        })
    }

    fn look(&self, subject: &Subject<'_>) -> std::result::Result<Value, ObserveError> {
        let image = picture("qwen-ocr", subject)?;
        let said = self.looker.ask(image, &self.prompt);
        let said = said.map_err(|error| ObserveError::new("ocr", error.to_string()))?;
        let evidence = json!({
            "engine": "qwen2.5-vl",
            "lines": [],
            "text": "",
            "truncated": said.truncated,
        });
        Ok(reply::with(evidence, reply::reading(&said.text)?))
    }
}

impl Observer for QwenOcr {
    fn name(&self) -> &str {
        "qwen-ocr"
    }

    fn identity(&self) -> Value {
        self.looker.identity.clone()
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}
