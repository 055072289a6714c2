//! `geneval-detector`: the objects in a picture, their places, and their colours if an item asks for a
//! colour.
//!
//! The networks are Mask2Former with Swin-S after the test pipeline of mmdetection 2.x, and CLIP ViT-L/14 for
//! colours, as in `evaluation/evaluate_images.py` of GenEval (commit af4902f). Both run in f32.

mod colors;
mod selftest;
mod settings;

pub use settings::GenevalDetectorSettings;

use super::clip::ClipEncoder;
use super::pictures::output_picture;
use super::source::Checkpoint;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::model::mask2former::{Instance, Logits, Mask2Former, Mask2FormerConfig};
use crate::model::processor::detection::{Detectable, detectable};
use crate::model::weights::Files;
use crate::model::{ModelError, Result, read_config};
use crate::record::Item;
use crate::record::evidence::{Detection, Detections, Field, Text, written};
use crate::record::geneval_words::official_object_name;
use candle_core::Device;
use colors::{ColorClassifier, PALETTE};
use image::RgbImage;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Evidence keeps detections above this score.
const LOWEST_SCORE: f32 = 0.05;

/// The number of objects of a class whose colour is named, best first. The rule looks at this many.
const MOST_COLORED: usize = 16;

/// The configuration of the checkpoint that GenEval names. Its files contain none.
const CONFIG: &str = include_str!("../../../configs/released/mask2former-swin-s.json");

/// What the observer needs from the hub, in the order in which it is opened.
pub const ASSETS: [&str; 4] = [
    "mask2former-swin-s-coco",
    "clip-vit-l-14",
    "clip-vit-l-14-config",
    "clip-vit-l-14-tokenizer",
];

/// The observer.
pub struct GenevalDetector {
    network: Mutex<Mask2Former>,
    config: Mask2FormerConfig,
    colors: ColorClassifier,
    device: Device,
    identity: Value,
}

/// One observation, before it becomes JSON.
struct Seen {
    logits: Logits,
    instances: Vec<Instance>,
}

impl GenevalDetector {
    /// Runs the network. Only one picture at a time is in it. Meanwhile, other cores prepare and measure the
    /// other pictures.
    fn detect(&self, picture: &Detectable) -> Result<Seen> {
        let pixels = picture.pixel_values.to_device(&self.device)?;
        let masks = {
            let network = self.network.lock().unwrap_or_else(|lock| lock.into_inner());
            network.forward(&pixels)?
        };
        let logits = Logits::new(&masks, picture.sizes)?;
        Ok(Seen {
            instances: logits.instances(LOWEST_SCORE),
            logits,
        })
    }

    fn class(&self, label: usize) -> String {
        let name = self.config.label(label).unwrap_or_default();
        official_object_name(name).to_owned()
    }

    fn evidence(
        &self,
        item: &Item,
        image: &RgbImage,
        seen: &Seen,
    ) -> Result<Detections<'static, [u32; 4]>> {
        let colored = colored_classes(item);
        let mut named: BTreeMap<String, usize> = BTreeMap::new();
        let mut detections = Vec::with_capacity(seen.instances.len());
        for instance in &seen.instances {
            let class = self.class(instance.label);
            let mut detection = Detection {
                class: Text::from(class.clone()).into(),
                score: shortest_decimal(instance.score).into(),
                bbox: instance.bbox.into(),
                ..Detection::default()
            };
            let count = named.entry(class.clone()).or_default();
            *count += 1;
            if colored.contains(&class) && *count <= MOST_COLORED {
                let mask = seen.logits.mask(instance.query);
                let colors = self.colors.classify(&class, image, &mask, instance.bbox)?;
                let scores = PALETTE.iter().zip(colors.scores);
                let scores = scores
                    .map(|(name, score)| ((*name).to_owned(), shortest_decimal(score).into()));
                detection.color = Text::from(PALETTE[colors.best]).into();
                detection.color_scores = Some(scores.collect());
            }
            detections.push(Field::Given(detection));
        }
        Ok(Detections {
            width: image.width(),
            height: image.height(),
            detections: detections.into(),
            ..Detections::default()
        })
    }

    fn look(&self, subject: &Subject<'_>) -> std::result::Result<Value, ObserveError> {
        let image = output_picture(subject, Self::NAME)?;
        let failed = |error: ModelError| ObserveError::new("detector", error.to_string());
        let prepared = detectable(image).map_err(failed)?;
        let seen = self.detect(&prepared).map_err(failed)?;
        let evidence = self.evidence(subject.item, image, &seen).map_err(failed)?;
        Ok(written(&evidence)?)
    }
}

/// The classes whose colour an item asks for.
fn colored_classes(item: &Item) -> BTreeSet<String> {
    let clauses = item.expect.get("include").and_then(Value::as_array);
    let clauses = clauses.into_iter().flatten();
    clauses
        .filter(|clause| clause.get("color").is_some_and(|color| !color.is_null()))
        .filter_map(|clause| clause.get("class")?.as_str())
        .map(|class| official_object_name(class).to_owned())
        .collect()
}

/// The 64-bit number with the shortest decimal text of a 32-bit number. NaN stays NaN, which is null in JSON.
fn shortest_decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::NAN)
}

impl Described for GenevalDetector {
    type Settings = GenevalDetectorSettings;
    const NAME: &'static str = "geneval-detector";
    const ABOUT: &'static str =
        "the objects in a picture, their places and their colours, as GenEval finds them";
    const ON_DEVICE: bool = true;

    fn assets(_: &Settings) -> std::result::Result<Vec<&'static str>, BuildError> {
        Ok(ASSETS.into())
    }

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        let settings: GenevalDetectorSettings = settings.read()?;
        Ok([settings.detector, settings.clip]
            .into_iter()
            .flatten()
            .collect())
    }

    fn open(
        settings: GenevalDetectorSettings,
        means: &Means<'_>,
    ) -> std::result::Result<Self, BuildError> {
        let device = means.device()?;
        let background = settings.background().ok_or_else(|| {
            ModelError::Input(format!(
                "observe.geneval-detector: `bgcolor` is {:?}; write #999, #1a2b3c or original",
                settings.bgcolor
            ))
        })?;
        let [weights, clip, clip_config, clip_tokenizer] = ASSETS;
        let detector = match &settings.detector {
            Some(path) => Checkpoint::named(path, &["config.json"])?,
            None => Checkpoint::asset(means.hub, weights, None, None)?,
        };
        let clip = match &settings.clip {
            Some(path) => Checkpoint::named(path, &["open_clip_config.json", "config.json"])?,
            None => Checkpoint::asset(means.hub, clip, Some(clip_config), Some(clip_tokenizer))?,
        };
        let config: Mask2FormerConfig = match &detector.config {
            Some(path) => read_config(path)?,
            None => serde_json::from_str(CONFIG)
                .map_err(|error| ModelError::config(Path::new("built in"), error.to_string()))?,
        };
        let files = Arc::new(Files::open(&detector.weights)?);
        let network = Mask2Former::load(&config, &files, &device)?;
        let fingerprint = detector.fingerprint()?;
        // The detector looks at a test picture twice. Both answers must agree with each other and with
        // earlier answers.
        let answer = selftest::test_answer(&network, &device)?;
        // Without a cache there are no earlier answers.
        if let Ok(cache) = means.hub.cache() {
            let known = cache.join("self-tests").join(Self::NAME);
            selftest::same_as_before(&answer, &fingerprint, &known)?;
        }
        Ok(Self {
            identity: json!({
                "observer": Self::NAME,
                "detector": fingerprint,
                "clip": clip.fingerprint()?,
                "bgcolor": settings.bgcolor,
                "crop": settings.crop,
            }),
            network: Mutex::new(network),
            config,
            colors: ColorClassifier::new(
                ClipEncoder::open(&clip, &device)?,
                background,
                settings.crop,
            ),
            device,
        })
    }
}

impl Observer for GenevalDetector {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        json!(colored_classes(item))
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        match subjects {
            [only] => vec![self.look(only)],
            many => many.par_iter().map(|subject| self.look(subject)).collect(),
        }
    }
}
