//! `geneval-detector`: which objects a picture holds, where, and of which colour where an item asks for one.
//!
//! Mask2Former with Swin-S behind mmdetection 2.x's test pipeline, and CLIP ViT-L/14 for colours, as
//! `evaluation/evaluate_images.py` of GenEval (commit af4902f) uses them; both in f32.

mod colors;
mod selftest;
mod settings;

pub use settings::GenevalDetectorSettings;

use super::clip::ClipEncoder;
use super::source::Checkpoint;
use super::{ObserveError, Observer, Subject};
use crate::hub::Hub;
use crate::model::mask2former::{Instance, Logits, Mask2Former, Mask2FormerConfig};
use crate::model::processor::detection::{Detectable, detectable};
use crate::model::weights::Files;
use crate::model::{ModelError, Result, read_config};
use crate::record::geneval_words::official_object_name;
use crate::record::{Item, Object};
use candle_core::Device;
use colors::{ColorClassifier, PALETTE};
use image::RgbImage;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Evidence keeps detections above this score.
const LOWEST_SCORE: f32 = 0.05;

/// Objects of a class whose colour is named, best first: as many as the rule looks at.
const MOST_COLORED: usize = 16;

/// The configuration of the checkpoint that GenEval names; its files have none.
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
    /// Finds and loads both networks, and lets the detector look at a picture of ours twice.
    ///
    /// # Errors
    /// When a setting makes no sense, an asset cannot be had, a checkpoint is damaged, or the detector's answers are not
    /// the same twice, or others than when its weights were first loaded.
    pub fn open(
        settings: &GenevalDetectorSettings,
        hub: &Hub,
        device: &Device,
    ) -> std::result::Result<Self, super::BuildError> {
        let background = settings.background().ok_or_else(|| {
            ModelError::Input(format!(
                "observe.geneval-detector: `bgcolor` is {:?}; write #999, #1a2b3c or original",
                settings.bgcolor
            ))
        })?;
        let [weights, clip, clip_config, clip_tokenizer] = ASSETS;
        let detector = match &settings.detector {
            Some(path) => Checkpoint::named(path, &["config.json"])?,
            None => Checkpoint::asset(hub, weights, None, None)?,
        };
        let clip = match &settings.clip {
            Some(path) => Checkpoint::named(path, &["open_clip_config.json", "config.json"])?,
            None => Checkpoint::asset(hub, clip, Some(clip_config), Some(clip_tokenizer))?,
        };
        let config: Mask2FormerConfig = match &detector.config {
            Some(path) => read_config(path)?,
            None => serde_json::from_str(CONFIG)
                .map_err(|error| ModelError::config(Path::new("built in"), error.to_string()))?,
        };
        let files = Arc::new(Files::open(&detector.weights)?);
        let network = Mask2Former::load(&config, &files, device)?;
        let fingerprint = detector.fingerprint()?;
        let answer = selftest::answer(&network, device)?;
        // Without a cache nothing is known of earlier times.
        if let Ok(cache) = hub.cache() {
            let known = cache.join("self-tests").join("geneval-detector");
            selftest::same_as_before(&answer, &fingerprint, &known)?;
        }
        Ok(Self {
            identity: json!({
                "observer": "geneval-detector",
                "detector": fingerprint,
                "clip": clip.fingerprint()?,
                "bgcolor": settings.bgcolor,
                "crop": settings.crop,
            }),
            network: Mutex::new(network),
            config,
            colors: ColorClassifier::new(
                ClipEncoder::open(&clip, device)?,
                background,
                settings.crop,
            ),
            device: device.clone(),
        })
    }

    /// One picture at a time is in the network; the others are prepared and measured on other cores meanwhile.
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

    fn evidence(&self, item: &Item, image: &RgbImage, seen: &Seen) -> Result<Value> {
        let colored = colored_classes(item);
        let mut named: BTreeMap<String, usize> = BTreeMap::new();
        let mut detections = Vec::with_capacity(seen.instances.len());
        for instance in &seen.instances {
            let class = self.class(instance.label);
            let mut record = Object::new();
            record.insert("class".into(), class.clone().into());
            record.insert("score".into(), number(instance.score));
            record.insert("box".into(), json!(instance.bbox));
            let count = named.entry(class.clone()).or_default();
            *count += 1;
            if colored.contains(&class) && *count <= MOST_COLORED {
                let mask = seen.logits.mask(instance.query);
                let colors = self.colors.classify(&class, image, &mask, instance.bbox)?;
                let scores: Object = PALETTE
                    .iter()
                    .zip(colors.scores)
                    .map(|(name, score)| ((*name).to_owned(), number(score)))
                    .collect();
                record.insert("color".into(), PALETTE[colors.best].into());
                record.insert("color_scores".into(), scores.into());
            }
            detections.push(Value::Object(record));
        }
        Ok(json!({
            "width": image.width(),
            "height": image.height(),
            "detections": detections,
        }))
    }

    fn look(&self, subject: &Subject<'_>) -> std::result::Result<Value, ObserveError> {
        let Some(image) = subject.image else {
            return Err(ObserveError::new(
                "image",
                "geneval-detector looks at pictures, and this output has none",
            ));
        };
        let failed = |error: ModelError| ObserveError::new("detector", error.to_string());
        let picture = detectable(image).map_err(failed)?;
        let seen = self.detect(&picture).map_err(failed)?;
        self.evidence(subject.item, image, &seen).map_err(failed)
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

/// The shortest text that reads back as the same 32-bit number.
fn number(value: f32) -> Value {
    value
        .to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

impl Observer for GenevalDetector {
    fn name(&self) -> &str {
        "geneval-detector"
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
