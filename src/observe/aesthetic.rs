//! `aesthetic`: how well people would like the look of a picture, as LAION's predictors say. A head on the
//! picture's vector by CLIP ViT-L/14 gives about 1 to 10. The prompt plays no part.

use super::clip::ClipEncoder;
use super::pictures::{found, output_pixels};
use super::source::Checkpoint;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject, clip_score};
use crate::config::Settings;
use crate::model::aesthetic::AestheticHead;
use crate::model::weights::fingerprint;
use crate::model::{ModelError, Result};
use crate::record::evidence::Aesthetic;
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Mutex;

/// The heads by the setting `version`: the setting, and the asset of its file.
const VERSIONS: [(&str, &str); 2] = [("v2", "aesthetic-v2"), ("v1", "aesthetic-v1")];

/// Settings of the observer `aesthetic`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AestheticSettings {
    /// Which of the published heads: `v2` (`sac+logos+ava1-l14-linearMSE.pth`, which trainings by reward use)
    /// or `v1` (`sa_0_4_vit_l_14_linear.pth`, which CVTG-2K uses). Their numbers do not compare.
    pub version: String,
    /// The file of another head in the form of either. Heads with activations between their layers are
    /// refused.
    pub head: Option<PathBuf>,
    /// A folder with another CLIP, in the layout of transformers or of open_clip (default: OpenAI's
    /// ViT-L/14).
    pub clip: Option<PathBuf>,
}

impl Default for AestheticSettings {
    fn default() -> Self {
        Self {
            version: VERSIONS[0].0.into(),
            head: None,
            clip: None,
        }
    }
}

impl AestheticSettings {
    /// The asset of the head.
    fn asset(&self) -> std::result::Result<&'static str, BuildError> {
        let known = VERSIONS.iter().find(|(name, _)| *name == self.version);
        let mistake = || BuildError::Value {
            mistake: format!(
                "observe.aesthetic: `version` is {:?}; write v2 or v1",
                self.version
            ),
        };
        known.map(|(_, asset)| *asset).ok_or_else(mistake)
    }
}

/// The observer.
pub struct AestheticObserver {
    clip: Mutex<ClipEncoder>,
    head: AestheticHead,
    version: String,
    identity: Value,
}

impl AestheticObserver {
    fn score(&self, image: &RgbImage) -> Result<Aesthetic<'_>> {
        let clip = self.clip.lock().unwrap_or_else(|lock| lock.into_inner());
        let vector = clip.image(image)?;
        let width = vector.len();
        let vector = Tensor::from_vec(vector, (1, width), &Device::Cpu)?;
        let score: f32 = self.head.scores(&vector)?.squeeze(0)?.to_scalar()?;
        if score.is_finite() {
            return Ok(Aesthetic {
                aesthetic: score.into(),
                head: &self.version,
            });
        }
        Err(ModelError::NotFinite {
            tensor: "the aesthetic score".into(),
        })
    }
}

impl Described for AestheticObserver {
    type Settings = AestheticSettings;
    const NAME: &'static str = "aesthetic";
    const ABOUT: &'static str =
        "how well people would like the look of a picture, as LAION's predictors say";
    const ON_DEVICE: bool = true;

    fn assets(settings: &Settings) -> std::result::Result<Vec<&'static str>, BuildError> {
        let head = settings.read::<AestheticSettings>()?.asset()?;
        Ok([head].into_iter().chain(clip_score::ASSETS).collect())
    }

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        let settings: AestheticSettings = settings.read()?;
        Ok([settings.head, settings.clip]
            .into_iter()
            .flatten()
            .collect())
    }

    fn open(
        settings: AestheticSettings,
        means: &Means<'_>,
    ) -> std::result::Result<Self, BuildError> {
        let device = means.device()?;
        let asset = settings.asset()?;
        let (file, version) = match &settings.head {
            Some(file) => (file.clone(), "own".to_owned()),
            None => (means.hub.ensure(asset)?, settings.version.clone()),
        };
        let head = AestheticHead::open(&file, &Device::Cpu)?;
        let [weights, config, tokenizer] = clip_score::ASSETS;
        let checkpoint = match &settings.clip {
            Some(path) => Checkpoint::named(path, &["open_clip_config.json", "config.json"])?,
            None => Checkpoint::asset(means.hub, weights, Some(config), Some(tokenizer))?,
        };
        let hash = fingerprint(&file).map_err(|error| ModelError::io(&file, &error))?;
        Ok(Self {
            identity: json!({
                "observer": Self::NAME,
                "version": version,
                "head": hash,
                "clip": checkpoint.fingerprint()?,
            }),
            clip: Mutex::new(ClipEncoder::open(&checkpoint, &device)?),
            head,
            version,
        })
    }
}

impl Observer for AestheticObserver {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        let look =
            |subject: &Subject<'_>| found("clip", self.score(output_pixels(subject, Self::NAME)?));
        subjects.iter().map(look).collect()
    }
}
