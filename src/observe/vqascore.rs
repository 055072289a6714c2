//! `vqascore`: the probability that CLIP-FlanT5 answers "Yes" when it is asked whether a picture shows the
//! prompt (Lin et al., arXiv 2404.01291). This is the score of GenAI-Bench.

use super::pictures::{found, output_pixels};
use super::source::Checkpoint;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::hub::Hub;
use crate::model::clip_flan_t5::{ClipFlanT5, Place, Prompt, answer, log_probabilities, score};
use crate::model::processor::{CLIP_MEAN, CroppedProcessor, square};
use crate::model::tokenizer::Tokenizer;
use crate::model::{ModelError, Result};
use crate::record::Item;
use crate::record::evidence::Likelihood;
use candle_core::{DType, Device};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Mutex;

/// What the observer needs from the hub: weights, configuration and tokenizer, and then the weights and the
/// configuration of the vision tower.
pub const ASSETS: [&str; 5] = [
    "clip-flant5-xxl",
    "clip-flant5-xxl-config",
    "flan-t5-xxl-tokenizer",
    "clip-vit-l-14-336",
    "clip-vit-l-14-336-config",
];

/// The official question.
pub(super) const QUESTION: &str = "Does this figure show \"{prompt}\"? Please answer yes or no.";
/// The official answer.
const ANSWER: &str = "Yes";

/// Settings of the observer `vqascore`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VqaScoreSettings {
    /// A folder with another CLIP-FlanT5 as its authors publish it, with tokenizer.json (default:
    /// CLIP-FlanT5-XXL).
    pub checkpoint: Option<PathBuf>,
    /// A folder with that checkpoint's vision tower, in the layout of transformers (default: `vision_tower`
    /// in the checkpoint's folder).
    pub vision_tower: Option<PathBuf>,
    /// The question, with `{prompt}` in it.
    pub question: String,
    /// The answer whose probability is the score.
    pub answer: String,
}

impl Default for VqaScoreSettings {
    fn default() -> Self {
        Self {
            checkpoint: None,
            vision_tower: None,
            question: QUESTION.into(),
            answer: ANSWER.into(),
        }
    }
}

impl VqaScoreSettings {
    fn check(&self) -> std::result::Result<(), BuildError> {
        let mistake = |mistake: &str| {
            Err(BuildError::Value {
                mistake: format!("observe.vqascore: {mistake}"),
            })
        };
        match self {
            _ if !self.question.contains("{prompt}") => {
                mistake("`question` has no `{prompt}` in it")
            }
            _ if self.answer.trim().is_empty() => mistake("`answer` is empty"),
            _ if self.vision_tower.is_some() && self.checkpoint.is_none() => {
                mistake("`vision_tower` requires a `checkpoint`")
            }
            _ => Ok(()),
        }
    }

    /// The checkpoint and its vision tower.
    fn checkpoints(&self, hub: &Hub) -> std::result::Result<(Checkpoint, Checkpoint), BuildError> {
        let Some(folder) = &self.checkpoint else {
            let [weights, config, tokenizer, tower, tower_config] = ASSETS;
            return Ok((
                Checkpoint::asset(hub, weights, Some(config), Some(tokenizer))?,
                Checkpoint::asset(hub, tower, Some(tower_config), None)?,
            ));
        };
        let inside = folder.join("vision_tower");
        let tower = self.vision_tower.as_ref().unwrap_or(&inside);
        if !tower.is_dir() {
            return Err(ModelError::file(
                tower,
                "there is no vision tower here",
                "CLIP-FlanT5 needs openai/clip-vit-large-patch14-336: set `vision_tower` under [observe.vqascore] to its folder",
            )
            .into());
        }
        Ok((
            Checkpoint::named(folder, &["config.json"])?,
            Checkpoint::named(tower, &["config.json"])?,
        ))
    }
}

/// The observer.
pub struct VqaScore {
    network: Mutex<ClipFlanT5>,
    tokenizer: Tokenizer,
    processor: CroppedProcessor,
    background: [u8; 3],
    settings: VqaScoreSettings,
    answer: Vec<u32>,
    device: Device,
    identity: Value,
}

impl VqaScore {
    fn score(&self, image: &RgbImage, prompt: &str) -> Result<Likelihood> {
        let pixels = self.processor.prepare(&square(image, self.background))?;
        let pixels = pixels.unsqueeze(0)?;
        let question = self.settings.question.replace("{prompt}", prompt);
        let prompt = Prompt::new(&self.tokenizer, &question)?;
        let network = self.network.lock().unwrap_or_else(|lock| lock.into_inner());
        let features = network.image_features(&pixels.to_device(&self.device)?)?;
        let encoded = network.encode(&prompt, &features)?;
        let logits = network.answer_logits(&encoded, &self.answer)?;
        let logs = log_probabilities(&logits, &self.answer, self.tokenizer.size())?;
        Ok(Likelihood {
            engine: "clip-flant5",
            vqascore: score(&logs),
            log_probabilities: Some(logs.into_iter().map(f64::from).collect()),
        })
    }
}

fn files(checkpoint: &Checkpoint) -> Result<Place<'_>> {
    let config = checkpoint.config.as_deref().ok_or_else(|| {
        ModelError::file(
            &checkpoint.weights,
            "there is no config.json next to these weights",
            "give the folder of the whole checkpoint, as its authors publish it",
        )
    })?;
    Ok(Place {
        config,
        weights: &checkpoint.weights,
    })
}

impl Described for VqaScore {
    type Settings = VqaScoreSettings;
    const NAME: &'static str = "vqascore";
    const ABOUT: &'static str = "how likely CLIP-FlanT5 is to say that a picture shows its prompt";
    const ON_DEVICE: bool = true;

    fn assets(_: &Settings) -> std::result::Result<Vec<&'static str>, BuildError> {
        Ok(ASSETS.into())
    }

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        let settings: VqaScoreSettings = settings.read()?;
        let named = [settings.checkpoint, settings.vision_tower];
        Ok(named.into_iter().flatten().collect())
    }

    fn open(
        settings: VqaScoreSettings,
        means: &Means<'_>,
    ) -> std::result::Result<Self, BuildError> {
        let device = means.device()?;
        settings.check()?;
        let (own, tower) = settings.checkpoints(means.hub)?;
        let tokenizer = Tokenizer::open(own.tokenizer.as_deref().unwrap_or(&own.weights))?;
        // The network runs in bf16 on a GPU, as in the official script, and in f32 on the CPU.
        let dtype = if device.is_cpu() {
            DType::F32
        } else {
            DType::BF16
        };
        let network = ClipFlanT5::open(files(&own)?, files(&tower)?, dtype, &device)?;
        let side = u32::try_from(network.image_size())
            .map_err(|_| ModelError::Input("`image_size` is too large".into()))?;
        Ok(Self {
            identity: json!({
                "observer": Self::NAME,
                "checkpoint": own.fingerprint()?,
                "vision_tower": tower.fingerprint()?,
                "dtype": dtype.as_str(),
                "question": settings.question,
                "answer": settings.answer,
            }),
            network: Mutex::new(network),
            answer: answer(&tokenizer, &settings.answer)?,
            tokenizer,
            processor: CroppedProcessor::clip(side),
            background: CLIP_MEAN.map(|mean| (mean * 255.0) as u8),
            settings,
            device,
        })
    }
}

impl Observer for VqaScore {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        item.prompt.clone().into()
    }

    fn remark(&self) -> Option<String> {
        let VqaScoreSettings {
            question, answer, ..
        } = &self.settings;
        let asked = (question != QUESTION).then(|| format!("asked {question:?}"));
        let answered = (answer != ANSWER).then(|| format!("answer {answer:?}"));
        let told: Vec<String> = [asked, answered].into_iter().flatten().collect();
        (!told.is_empty()).then(|| format!("VQAScore: {}", told.join(", ")))
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        let look = |subject: &Subject<'_>| {
            let image = output_pixels(subject, Self::NAME)?;
            found("vqa", self.score(image, &subject.item.prompt))
        };
        subjects.iter().map(look).collect()
    }
}
