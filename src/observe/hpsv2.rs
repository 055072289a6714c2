//! `hpsv2`: the Human Preference Score v2 (Wu et al., arXiv 2306.09341). It is the cosine between the picture
//! and the prompt, from a CLIP ViT-H/14 that was trained on people's choices.

use super::clip::{ClipEncoder, cosine};
use super::pictures::{found, output_picture};
use super::source::Checkpoint;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::image::tensor_resize::bicubic;
use crate::model::clip::OpenClipConfig;
use crate::model::processor::{CLIP_MEAN, CLIP_STD};
use crate::model::{ModelError, Result};
use crate::record::Item;
use crate::record::evidence::Preference;
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The configuration of the released checkpoints, which contain none.
const CONFIG: &str = include_str!("../../configs/released/open-clip-vit-h-14.json");

/// What the observer needs from the hub by default.
pub const ASSETS: [&str; 2] = ["hpsv2.1", "clip-vit-l-14-tokenizer"];

/// Settings of the observer `hpsv2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HpsV2Settings {
    /// Which of the released checkpoints: `v2.1` or `v2.0`.
    pub version: String,
    /// A folder with another checkpoint in open_clip's layout, with its tokenizer.
    pub checkpoint: Option<PathBuf>,
    /// Whether shrinking is antialiased, as in current versions of torchvision. The published numbers come
    /// from versions without antialiasing.
    pub antialias: bool,
}

impl Default for HpsV2Settings {
    fn default() -> Self {
        Self {
            version: "v2.1".into(),
            checkpoint: None,
            antialias: true,
        }
    }
}

/// The observer.
pub struct HpsV2 {
    clip: Mutex<ClipEncoder>,
    antialias: bool,
    size: u32,
    identity: Value,
}

impl HpsV2 {
    /// The authors' transform. The picture is resized as numbers of 0..=1, cropped to the centre, and
    /// normalised. The result has the shape [3, S, S].
    fn prepare(&self, image: &RgbImage) -> Result<Tensor> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let size = self.size as usize;
        let long = |short: usize, long: usize| (size * long / short.max(1)).max(size);
        let (new_width, new_height) = if width <= height {
            (size, long(width, height))
        } else {
            (long(height, width), size)
        };
        let resized = bicubic(image, new_width, new_height, self.antialias);
        let start = |side: usize| ((side - size) as f64 / 2.0).round_ties_even() as usize;
        let pixels = Tensor::from_vec(resized, (3, new_height, new_width), &Device::Cpu)?
            .narrow(1, start(new_height), size)?
            .narrow(2, start(new_width), size)?;
        let each = |values: [f32; 3]| Tensor::new(&values, &Device::Cpu)?.reshape((3, 1, 1));
        let centred = pixels.broadcast_sub(&each(CLIP_MEAN)?)?;
        Ok(centred.broadcast_div(&each(CLIP_STD)?)?)
    }

    fn score(&self, item: &Item, image: &RgbImage) -> Result<Preference> {
        let pixels = self.prepare(image)?;
        let clip = self.clip.lock().unwrap_or_else(|lock| lock.into_inner());
        let near = cosine(&clip.pixels(&pixels)?, &clip.text(&item.prompt)?);
        Ok(Preference { hpsv2: near.into() })
    }
}

impl Described for HpsV2 {
    type Settings = HpsV2Settings;
    const NAME: &'static str = "hpsv2";
    const ABOUT: &'static str =
        "how well people would like a picture for its prompt, as HPS v2 predicts it";
    const ON_DEVICE: bool = true;

    fn assets(_: &Settings) -> std::result::Result<Vec<&'static str>, BuildError> {
        Ok(ASSETS.into())
    }

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        let settings: HpsV2Settings = settings.read()?;
        Ok(settings.checkpoint.into_iter().collect())
    }

    fn open(settings: HpsV2Settings, means: &Means<'_>) -> std::result::Result<Self, BuildError> {
        let device = means.device()?;
        let asset = match settings.version.as_str() {
            "v2.1" => "hpsv2.1",
            "v2.0" => "hpsv2.0",
            other => {
                return Err(ModelError::Input(format!(
                    "observe.hpsv2: `version` is {other:?}; write v2.1 or v2.0"
                ))
                .into());
            }
        };
        let (checkpoint, version) = match &settings.checkpoint {
            Some(path) => (Checkpoint::named(path, &["open_clip_config.json"])?, "own"),
            None => (
                Checkpoint::asset(means.hub, asset, None, Some("clip-vit-l-14-tokenizer"))?,
                settings.version.as_str(),
            ),
        };
        let clip = match &checkpoint.config {
            Some(_) => ClipEncoder::open(&checkpoint, &device)?,
            None => {
                let config: OpenClipConfig = serde_json::from_str(CONFIG).map_err(|error| {
                    ModelError::config(Path::new("built in"), error.to_string())
                })?;
                ClipEncoder::open_clip(&checkpoint, &config, &device)?
            }
        };
        Ok(Self {
            identity: json!({
                "observer": Self::NAME,
                "version": version,
                "checkpoint": checkpoint.fingerprint()?,
                "antialias": settings.antialias,
            }),
            size: clip.image_size(),
            clip: Mutex::new(clip),
            antialias: settings.antialias,
        })
    }
}

impl Observer for HpsV2 {
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
            let image = output_picture(subject, Self::NAME)?;
            found("clip", self.score(subject.item, image))
        };
        subjects.iter().map(look).collect()
    }
}
