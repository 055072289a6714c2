//! `clip-score`: how similar a picture is to its prompt, as CLIP measures it (Hessel et al., arXiv
//! 2104.08718, without the clipping and the factor 2.5).

use super::clip::{ClipEncoder, cosine};
use super::pictures::{found, output_picture};
use super::source::Checkpoint;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::record::Item;
use crate::record::evidence::PromptSimilarity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Mutex;

/// What the observer needs from the hub.
pub const ASSETS: [&str; 3] = [
    "clip-vit-l-14",
    "clip-vit-l-14-config",
    "clip-vit-l-14-tokenizer",
];

/// Settings of the observer `clip-score`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClipScoreSettings {
    /// A folder with another CLIP, in the layout of transformers or of open_clip (default: OpenAI's
    /// ViT-L/14).
    pub clip: Option<PathBuf>,
}

/// The observer.
pub struct ClipScore {
    clip: Mutex<ClipEncoder>,
    identity: Value,
}

impl ClipScore {
    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let image = output_picture(subject, Self::NAME)?;
        let clip = self.clip.lock().unwrap_or_else(|lock| lock.into_inner());
        let near = clip.image(image).and_then(|seen| {
            let near = cosine(&seen, &clip.text(&subject.item.prompt)?);
            Ok(PromptSimilarity {
                clip_t: near.into(),
            })
        });
        found("clip", near)
    }
}

impl Described for ClipScore {
    type Settings = ClipScoreSettings;
    const NAME: &'static str = "clip-score";
    const ABOUT: &'static str = "how similar a picture is to its prompt, as CLIP measures it";
    const ON_DEVICE: bool = true;

    fn assets(_: &Settings) -> Result<Vec<&'static str>, BuildError> {
        Ok(ASSETS.into())
    }

    fn checkpoints(settings: &Settings) -> Result<Vec<PathBuf>, BuildError> {
        let settings: ClipScoreSettings = settings.read()?;
        Ok(settings.clip.into_iter().collect())
    }

    fn open(settings: ClipScoreSettings, means: &Means<'_>) -> Result<Self, BuildError> {
        let device = means.device()?;
        let [weights, config, tokenizer] = ASSETS;
        let checkpoint = match &settings.clip {
            Some(path) => Checkpoint::named(path, &["open_clip_config.json", "config.json"])?,
            None => Checkpoint::asset(means.hub, weights, Some(config), Some(tokenizer))?,
        };
        Ok(Self {
            identity: json!({"observer": Self::NAME, "clip": checkpoint.fingerprint()?}),
            clip: Mutex::new(ClipEncoder::open(&checkpoint, &device)?),
        })
    }
}

impl Observer for ClipScore {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        item.prompt.clone().into()
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}
