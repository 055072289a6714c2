//! `pickscore`: which of a prompt's pictures people would pick (Kirstain et al., arXiv 2305.01569). It is the
//! scaled cosine between picture and prompt, from a CLIP ViT-H/14 that was trained on people's choices.

use super::clip::{ClipEncoder, cosine};
use super::pictures::{found, output_pixels};
use super::source::Checkpoint;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::model::Result;
use crate::record::Item;
use crate::record::evidence::Picked;
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Mutex;

/// What the observer needs from the hub. All CLIPs have one vocabulary.
pub const ASSETS: [&str; 3] = [
    "pickscore-v1",
    "pickscore-v1-config",
    "clip-vit-l-14-tokenizer",
];

/// Settings of the observer `pickscore`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PickScoreSettings {
    /// A folder with another checkpoint in the layout of transformers, with its tokenizer (default:
    /// PickScore v1).
    pub checkpoint: Option<PathBuf>,
}

/// The observer.
pub struct PickScore {
    clip: Mutex<ClipEncoder>,
    /// The factor of the cosine.
    scale: f64,
    identity: Value,
}

impl PickScore {
    fn score(&self, item: &Item, image: &RgbImage) -> Result<Picked> {
        let clip = self.clip.lock().unwrap_or_else(|lock| lock.into_inner());
        let near = cosine(&clip.image(image)?, &clip.text(&item.prompt)?);
        Ok(Picked {
            pickscore: self.scale * f64::from(near),
        })
    }
}

impl Described for PickScore {
    type Settings = PickScoreSettings;
    const NAME: &'static str = "pickscore";
    const ABOUT: &'static str =
        "how likely people would be to pick a picture for its prompt, as PickScore says";
    const ON_DEVICE: bool = true;

    fn assets(_: &Settings) -> std::result::Result<Vec<&'static str>, BuildError> {
        Ok(ASSETS.into())
    }

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        let settings: PickScoreSettings = settings.read()?;
        Ok(settings.checkpoint.into_iter().collect())
    }

    fn open(
        settings: PickScoreSettings,
        means: &Means<'_>,
    ) -> std::result::Result<Self, BuildError> {
        let device = means.device()?;
        let [weights, config, tokenizer] = ASSETS;
        let checkpoint = match &settings.checkpoint {
            Some(path) => Checkpoint::named(path, &["config.json"])?,
            None => Checkpoint::asset(means.hub, weights, Some(config), Some(tokenizer))?,
        };
        let clip = ClipEncoder::open(&checkpoint, &device)?;
        Ok(Self {
            identity: json!({"observer": Self::NAME, "checkpoint": checkpoint.fingerprint()?}),
            scale: clip.scale()?,
            clip: Mutex::new(clip),
        })
    }
}

impl Observer for PickScore {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        item.prompt.clone().into()
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        let look = |subject: &Subject<'_>| {
            let image = output_pixels(subject, Self::NAME)?;
            found("clip", self.score(subject.item, image))
        };
        subjects.iter().map(look).collect()
    }
}
