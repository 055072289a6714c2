//! `clip-score`: how near a picture is to its prompt, to CLIP (Hessel et al., arXiv 2104.08718, without the clipping and
//! the factor 2.5).

use super::clip::{ClipEncoder, cosine};
use super::source::Checkpoint;
use super::{BuildError, ObserveError, Observer, Subject};
use crate::hub::Hub;
use crate::record::Item;
use candle_core::Device;
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
    /// A folder with another CLIP, in the layout of transformers or of open_clip. Without it, OpenAI's ViT-L/14.
    pub clip: Option<PathBuf>,
}

/// The observer.
pub struct ClipScore {
    clip: Mutex<ClipEncoder>,
    identity: Value,
}

impl ClipScore {
    /// Finds and loads CLIP.
    ///
    /// # Errors
    /// When an asset cannot be had or the checkpoint is damaged.
    pub fn open(
        settings: &ClipScoreSettings,
        hub: &Hub,
        device: &Device,
    ) -> Result<Self, BuildError> {
        let [weights, config, tokenizer] = ASSETS;
        let checkpoint = match &settings.clip {
            Some(path) => Checkpoint::named(path, &["open_clip_config.json", "config.json"])?,
            None => Checkpoint::asset(hub, weights, Some(config), Some(tokenizer))?,
        };
        Ok(Self {
            identity: json!({"observer": "clip-score", "clip": checkpoint.fingerprint()?}),
            clip: Mutex::new(ClipEncoder::open(&checkpoint, device)?),
        })
    }

    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let image = subject.image.ok_or_else(|| {
            ObserveError::new(
                "image",
                "clip-score looks at pictures, and this output has none",
            )
        })?;
        let clip = self.clip.lock().unwrap_or_else(|lock| lock.into_inner());
        let seen = clip.image(image);
        let near = seen.and_then(|seen| Ok(cosine(&seen, &clip.text(&subject.item.prompt)?)));
        match near {
            Ok(near) => Ok(json!({"clip_t": f64::from(near)})),
            Err(error) => Err(ObserveError::new("clip", error.to_string())),
        }
    }
}

impl Observer for ClipScore {
    fn name(&self) -> &str {
        "clip-score"
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
