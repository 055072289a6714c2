//! `got-ocr`: the text in a picture, read by GOT-OCR2.0 (arXiv 2409.01704).

use super::pictures::{found, output_picture};
use super::source::Checkpoint;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::image::pillow::Filter;
use crate::model::got_ocr2::{GotConfig, GotOcr2, Reading};
use crate::model::processor::{CLIP_MEAN, CLIP_STD, FixedProcessor, tiles};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Files;
use crate::model::{ModelError, Result};
use crate::python::whitespace::strip;
use crate::record::evidence::{Field, Text, TextReading};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What the observer needs from the hub: weights, config.json, tokenizer.json.
pub const ASSETS: [&str; 3] = ["got-ocr2", "got-ocr2-config", "got-ocr2-tokenizer"];

/// The engine's name.
const ENGINE: &str = "GOT-OCR2.0";

/// The text before every question, as in the training of the checkpoint.
const SYSTEM: &str = "<|im_start|>system\nYou should follow the instructions carefully and explain your answers in \
detail.<|im_end|><|im_start|>user\n<img>";

/// Settings of the observer `got-ocr`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GotOcrSettings {
    /// A folder with another checkpoint, in the layout of transformers or of the authors, with
    /// tokenizer.json.
    pub checkpoint: Option<PathBuf>,
    /// Whether formulas, tables and layout are read as marked-up text (LaTeX, Markdown) instead of plain
    /// text.
    pub format: bool,
    /// Whether a picture is also read in tiles, for dense or large pages.
    pub tiles: bool,
    /// The largest number of tiles of a picture.
    pub max_tiles: usize,
    /// Whether the question begins with a blank, as in transformers. The authors' program has no blank there.
    pub leading_blank: bool,
    /// Longest reading in tokens.
    pub max_new_tokens: usize,
    /// No sequence of this many tokens is written twice.
    pub no_repeat_ngram_size: usize,
}

impl Default for GotOcrSettings {
    fn default() -> Self {
        Self {
            checkpoint: None,
            format: false,
            tiles: false,
            max_tiles: 12,
            leading_blank: true,
            max_new_tokens: 4096,
            no_repeat_ngram_size: 20,
        }
    }
}

impl GotOcrSettings {
    fn question(&self) -> String {
        format!(
            "{}OCR{}{}: ",
            if self.leading_blank { " " } else { "" },
            if self.format { " with format" } else { "" },
            if self.tiles {
                " upon the patch reference"
            } else {
                ""
            },
        )
    }
}

/// The observer.
pub struct GotOcr {
    network: Mutex<GotOcr2>,
    tokenizer: Tokenizer,
    processor: FixedProcessor,
    settings: GotOcrSettings,
    eos: Vec<u32>,
    device: Device,
    identity: Value,
}

impl GotOcr {
    fn read(&self, image: &RgbImage) -> Result<TextReading<'static>> {
        let size = self.processor.size;
        let pictures = if self.settings.tiles {
            tiles(image, size, self.settings.max_tiles)
        } else {
            vec![image.clone()]
        };
        let pixels = pictures
            .iter()
            .map(|picture| self.processor.prepare(picture));
        let pixels = Tensor::stack(&pixels.collect::<Result<Vec<_>>>()?, 0)?;
        let network = self.network.lock().unwrap_or_else(|lock| lock.into_inner());
        let config = network.config();
        let mut ids = self.tokenizer.encode(SYSTEM)?;
        let count = pictures.len() * config.image_tokens;
        ids.extend(std::iter::repeat_n(config.image_token, count));
        let question = self.settings.question();
        ids.extend(self.tokenizer.encode(&format!(
            "</img>\n{question}<|im_end|><|im_start|>assistant\n"
        ))?);
        let features = pixels
            .chunk(pictures.len(), 0)?
            .iter()
            .map(|one| network.image_features(&one.to_device(&self.device)?))
            .collect::<Result<Vec<_>>>()?;
        let reading = Reading {
            max_new_tokens: self.settings.max_new_tokens,
            eos: &self.eos,
            no_repeat_ngram_size: self.settings.no_repeat_ngram_size,
        };
        let new = network.read(&ids, &Tensor::cat(&features, 0)?, reading)?;
        let text = self.tokenizer.decode(&new)?;
        Ok(TextReading {
            engine: Text::from(ENGINE).into(),
            lines: Field::Given(Vec::new()),
            text: Text::from(strip(&text).to_owned()).into(),
            tiles: Some(pictures.len()),
            truncated: Some(new.len() == self.settings.max_new_tokens),
            ..TextReading::default()
        })
    }
}

impl Described for GotOcr {
    type Settings = GotOcrSettings;
    const NAME: &'static str = "got-ocr";
    const ABOUT: &'static str = "the text in a picture, read by GOT-OCR2.0";
    const ON_DEVICE: bool = true;
    const PLACES: &'static [&'static str] = &["checkpoint"];

    fn assets(_: &Settings) -> std::result::Result<Vec<&'static str>, BuildError> {
        Ok(ASSETS.into())
    }

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        let settings: GotOcrSettings = settings.read()?;
        Ok(settings.checkpoint.into_iter().collect())
    }

    fn engine(_: &Settings) -> std::result::Result<Option<String>, BuildError> {
        Ok(Some(ENGINE.into()))
    }

    fn open(settings: GotOcrSettings, means: &Means<'_>) -> std::result::Result<Self, BuildError> {
        let device = means.device()?;
        let positive = [
            ("max_tiles", settings.max_tiles),
            ("max_new_tokens", settings.max_new_tokens),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(ModelError::Input(format!("observe.got-ocr: `{name}` = 0")).into());
        }
        let [weights, config, tokenizer] = ASSETS;
        let checkpoint = match &settings.checkpoint {
            Some(folder) => Checkpoint::named(folder, &["config.json"])?,
            None => Checkpoint::asset(means.hub, weights, Some(config), Some(tokenizer))?,
        };
        let absent = |what: &str| {
            let why = format!("there is no {what} next to these weights");
            ModelError::file(
                &checkpoint.weights,
                why,
                "give the folder of the whole checkpoint",
            )
        };
        let config = checkpoint.config.as_ref();
        let config = GotConfig::read(config.ok_or_else(|| absent("config.json"))?)?;
        let folder = checkpoint.tokenizer.as_ref();
        let tokenizer = Tokenizer::open(folder.ok_or_else(|| absent("tokenizer.json"))?)?;
        // The network runs in bf16 on a GPU and in f32 on the CPU.
        let dtype = if device.is_cpu() {
            DType::F32
        } else {
            DType::BF16
        };
        let files = Arc::new(Files::open(&checkpoint.weights)?);
        let side = u32::try_from(config.vision.image_size)
            .map_err(|_| ModelError::Input("`image_size` is too large".into()))?;
        Ok(Self {
            identity: json!({
                "observer": Self::NAME,
                "checkpoint": checkpoint.fingerprint()?,
                "dtype": dtype.as_str(),
                "question": settings.question(),
                "tiles": settings.tiles.then_some(settings.max_tiles),
                "max_new_tokens": settings.max_new_tokens,
                "no_repeat_ngram_size": settings.no_repeat_ngram_size,
            }),
            network: Mutex::new(GotOcr2::load(&config, &files, dtype, &device)?),
            eos: vec![tokenizer.token("<|im_end|>")?],
            tokenizer,
            processor: FixedProcessor {
                size: side,
                filter: Filter::Bicubic,
                mean: CLIP_MEAN,
                std: CLIP_STD,
            },
            settings,
            device,
        })
    }
}

impl Observer for GotOcr {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        let look =
            |subject: &Subject<'_>| found("ocr", self.read(output_picture(subject, Self::NAME)?));
        subjects.iter().map(look).collect()
    }
}
