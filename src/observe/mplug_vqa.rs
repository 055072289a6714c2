//! `mplug-vqa`: answers to DPG-Bench's questions about a picture, by the model of the official script
//! (`dpg_bench/compute_dpg_bench.py` of ELLA, commit 3c228f1d), in f32.

use super::pictures::{found, output_picture};
use super::questions::questions;
use super::source::Checkpoint;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::image::pillow::Filter;
use crate::model::mplug::{Mplug, MplugConfig};
use crate::model::processor::{CLIP_MEAN, CLIP_STD, FixedProcessor};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Files;
use crate::model::{ModelError, Result};
use crate::record::evidence::Answers;
use crate::record::{Item, Object};
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What the observer needs from the hub: weights, config.yaml, config_bert.json, vocab.txt.
pub const ASSETS: [&str; 4] = [
    "mplug-vqa-large",
    "mplug-vqa-large-config",
    "mplug-vqa-large-bert",
    "mplug-vqa-large-vocab",
];

/// The largest number of tokens of a question. A longer question loses its end, as in the official script.
const QUESTION: usize = 25;

/// Settings of the observer `mplug-vqa`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MplugVqaSettings {
    /// A folder with another mPLUG: config.yaml, config_bert.json, vocab.txt, pytorch_model.bin (default: the
    /// one that DPG-Bench names).
    pub checkpoint: Option<PathBuf>,
}

/// The observer.
pub struct MplugVqa {
    network: Mutex<Mplug>,
    tokenizer: Tokenizer,
    processor: FixedProcessor,
    device: Device,
    identity: Value,
}

impl MplugVqa {
    fn answers(&self, item: &Item, image: &RgbImage) -> Result<Answers> {
        let pixels = self.processor.prepare(image)?.unsqueeze(0)?;
        let questions: Vec<(String, Tensor, Tensor)> = questions(item)
            .into_iter()
            .map(|(id, question)| {
                let (ids, mask) = self.ids(&question)?;
                Ok((id, ids, mask))
            })
            .collect::<Result<_>>()?;
        let network = self.network.lock().unwrap_or_else(|lock| lock.into_inner());
        let seen = network.encode_picture(&pixels.to_device(&self.device)?)?;
        let mut answers = Object::new();
        for (id, ids, mask) in questions {
            let best = network.answer(&seen, &ids, &mask)?;
            answers.insert(id, self.tokenizer.decode(&best.ids)?.into());
        }
        Ok(Answers {
            answers,
            ..Answers::default()
        })
    }

    fn ids(&self, question: &str) -> Result<(Tensor, Tensor)> {
        let padded = self
            .tokenizer
            .bert_ids(&question.to_lowercase(), QUESTION)?;
        let mask: Vec<u32> = (0..QUESTION)
            .map(|place| u32::from(place < padded.used))
            .collect();
        let tensor = |values| Tensor::from_vec(values, (1, QUESTION), &self.device);
        Ok((tensor(padded.ids)?, tensor(mask)?))
    }
}

impl Described for MplugVqa {
    type Settings = MplugVqaSettings;
    const NAME: &'static str = "mplug-vqa";
    const ABOUT: &'static str = "answers to DPG-Bench's questions about a picture, by mPLUG";
    const ON_DEVICE: bool = true;

    fn assets(_: &Settings) -> std::result::Result<Vec<&'static str>, BuildError> {
        Ok(ASSETS.into())
    }

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        let settings: MplugVqaSettings = settings.read()?;
        Ok(settings.checkpoint.into_iter().collect())
    }

    fn open(
        settings: MplugVqaSettings,
        means: &Means<'_>,
    ) -> std::result::Result<Self, BuildError> {
        let device = means.device()?;
        let [weights, yaml, bert, vocabulary] = ASSETS;
        let (checkpoint, config) = match &settings.checkpoint {
            Some(folder) => (
                Checkpoint::named(folder, &["config.yaml"])?,
                MplugConfig::open(folder)?,
            ),
            None => {
                let checkpoint =
                    Checkpoint::asset(means.hub, weights, Some(yaml), Some(vocabulary))?;
                let config =
                    MplugConfig::read(&means.hub.ensure(yaml)?, Some(&means.hub.ensure(bert)?))?;
                (checkpoint, config)
            }
        };
        let files = Arc::new(Files::open(&checkpoint.weights)?);
        let network = Mplug::load(&config, &files, &device)?;
        let tokenizer = checkpoint
            .tokenizer
            .as_deref()
            .unwrap_or(&checkpoint.weights);
        let side = u32::try_from(network.image_size())
            .map_err(|_| ModelError::Input("`image_res` is too large".into()))?;
        Ok(Self {
            identity: json!({"observer": Self::NAME, "checkpoint": checkpoint.fingerprint()?}),
            tokenizer: Tokenizer::open(tokenizer)?,
            processor: FixedProcessor {
                size: side,
                filter: Filter::Bicubic,
                mean: CLIP_MEAN,
                std: CLIP_STD,
            },
            network: Mutex::new(network),
            device,
        })
    }
}

impl Observer for MplugVqa {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        json!(questions(item))
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        let look = |subject: &Subject<'_>| {
            let image = output_picture(subject, Self::NAME)?;
            found("vqa", self.answers(subject.item, image))
        };
        subjects.iter().map(look).collect()
    }
}
