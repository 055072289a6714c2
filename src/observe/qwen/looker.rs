//! The network that the observers of this folder share.

use crate::config::Settings;
use crate::model::conversation::{Message, Piece, Reader, Reply};
use crate::model::processor::PixelLimits;
use crate::model::qwen_vl::{QwenVl, QwenVlConfig};
use crate::model::tokenizer::chat::{Form, Role};
use crate::model::weights::{self, Files};
use crate::model::{ModelError, Result, read_config};
use crate::observe::BuildError;
use candle_core::{D, DType, Device, IndexOp, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Settings of the observers `qwen-ocr`, `qwen-vqa` and `qwen-vqascore`, and of a judge in this process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QwenSettings {
    /// The folder of a Qwen2.5-VL or Qwen3-VL (dense) as it is published. `unigauge fetch qwen2.5-vl-7b`
    /// fetches the default.
    pub checkpoint: PathBuf,
    /// The question, instead of the observer's own wording. For `qwen-vqa` it must contain `{question}`, for
    /// `qwen-vqascore` `{prompt}`. A judge uses prompt sets instead.
    pub prompt: Option<String>,
    /// Longest answer in tokens (default: as long as the observer needs).
    pub max_new_tokens: Option<usize>,
    /// Smallest area of a picture, in pixels. A smaller picture is enlarged.
    pub min_pixels: u64,
    /// Largest area of a picture, in pixels. A larger picture is shrunk.
    pub max_pixels: u64,
    /// A number above 1 makes repeated tokens less likely. The published `generation_config.json` has 1.05.
    pub repetition_penalty: f64,
}

impl Default for QwenSettings {
    fn default() -> Self {
        Self {
            checkpoint: "checkpoints/qwen2.5-vl-7b".into(),
            prompt: None,
            max_new_tokens: None,
            min_pixels: 4 * 28 * 28,
            max_pixels: 16384 * 28 * 28,
            repetition_penalty: 1.05,
        }
    }
}

/// The network with everything that shapes its answers.
pub(in crate::observe) struct Looker {
    network: Mutex<QwenVl>,
    /// The network's name in evidence.
    engine: &'static str,
    form: Form,
    reader: Reader,
    dtype: DType,
    limits: PixelLimits,
    max_new_tokens: usize,
    repetition_penalty: f32,
    device: Device,
    pub(in crate::observe) identity: Value,
}

impl Looker {
    /// Loads the network, in bf16 on a GPU and in f32 on the CPU. `prompt` is what is asked. `longest` is the
    /// longest answer in tokens, if the settings give none.
    pub(in crate::observe) fn open(
        observer: &str,
        settings: &QwenSettings,
        prompt: &str,
        longest: usize,
        device: &Device,
    ) -> Result<Self> {
        let folder = &settings.checkpoint;
        check_folder(folder)?;
        let max_new_tokens = settings.max_new_tokens.unwrap_or(longest);
        if max_new_tokens == 0 {
            return Err(ModelError::Input(format!(
                "observe.{observer}: `max_new_tokens` is 0; it must be 1 or more"
            )));
        }
        let config: QwenVlConfig = read_config(&folder.join("config.json"))?;
        let dtype = if device.is_cpu() {
            DType::F32
        } else {
            DType::BF16
        };
        let files = Arc::new(Files::open(folder)?);
        let network = weights::load(&files, dtype, device, |weights| {
            QwenVl::new(&config, weights)
        })?;
        let fingerprint =
            weights::fingerprint(folder).map_err(|error| ModelError::io(folder, &error))?;
        Ok(Self {
            identity: json!({
                "observer": observer,
                "checkpoint": fingerprint,
                "dtype": dtype.as_str(),
                "prompt": prompt,
                "max_new_tokens": max_new_tokens,
                "pixels": [settings.min_pixels, settings.max_pixels],
                "repetition_penalty": settings.repetition_penalty,
            }),
            engine: network.engine(),
            form: network.form(),
            network: Mutex::new(network),
            reader: Reader::open(folder)?,
            dtype,
            limits: PixelLimits {
                min: settings.min_pixels,
                max: settings.max_pixels,
            },
            max_new_tokens,
            repetition_penalty: settings.repetition_penalty as f32,
            device: device.clone(),
        })
    }

    /// The network's name in evidence.
    pub(super) fn engine(&self) -> &'static str {
        self.engine
    }

    /// The answer to a picture that words follow.
    pub(super) fn ask(&self, image: &RgbImage, words: &str) -> Result<Reply> {
        let message = Message {
            role: Role::User,
            pieces: vec![Piece::Picture(image), Piece::Text(words)],
        };
        self.converse(&[message], None)
    }

    /// The first token of a text.
    pub(super) fn first_token(&self, text: &str) -> Result<u32> {
        let ids = self.reader.tokenizer.encode(text)?;
        let nothing = || ModelError::Input(format!("the tokenizer gives no tokens for {text:?}"));
        ids.first().copied().ok_or_else(nothing)
    }

    /// The token as text.
    pub(super) fn token_text(&self, id: u32) -> Result<String> {
        self.reader.tokenizer.decode_whole(&[id])
    }

    /// The type of numbers that the network computes in, such as `bf16`.
    pub(super) fn dtype(&self) -> &'static str {
        self.dtype.as_str()
    }

    /// The probability, 0 to 1, that the answer to a picture and words begins with this token.
    pub(super) fn chance(&self, image: &RgbImage, words: &str, token: u32) -> Result<f64> {
        let all = self.chances(image, words)?;
        Ok(all.i(token as usize)?.to_scalar::<f32>()?.into())
    }

    /// The probability, 0 to 1, of each token of the vocabulary to begin the answer to a picture and words,
    /// `[V]` in f32.
    pub(super) fn chances(&self, image: &RgbImage, words: &str) -> Result<Tensor> {
        let message = Message {
            role: Role::User,
            pieces: vec![Piece::Picture(image), Piece::Text(words)],
        };
        let conversation = self
            .reader
            .encode(&[message], self.form, self.limits, &self.device)?;
        let network = self.network.lock().unwrap_or_else(|lock| lock.into_inner());
        let scores = network.next_scores(&conversation)?;
        Ok(candle_nn::ops::softmax(&scores, D::Minus1)?.i(0)?)
    }

    /// The answer to a conversation. `max_new_tokens` replaces the limit of the settings.
    pub(in crate::observe) fn converse(
        &self,
        messages: &[Message<'_>],
        max_new_tokens: Option<u32>,
    ) -> Result<Reply> {
        let conversation = self
            .reader
            .encode(messages, self.form, self.limits, &self.device)?;
        let network = self.network.lock().unwrap_or_else(|lock| lock.into_inner());
        self.reader.reply(
            &*network,
            &conversation,
            max_new_tokens.map_or(self.max_new_tokens, |limit| limit as usize),
            self.repetition_penalty,
            &mut |_| true,
        )
    }
}

fn check_folder(folder: &Path) -> Result<()> {
    if folder.join("config.json").is_file() {
        return Ok(());
    }
    Err(ModelError::file(
        folder,
        "there is no checkpoint of Qwen2.5-VL or Qwen3-VL here",
        "run `unigauge fetch qwen2.5-vl-7b` (or `unigauge fetch qwen3-vl-8b`, where the suite asks Qwen3-VL), or set `checkpoint` under [observe.…] in the suite to another folder",
    ))
}

/// The folder of weights that an observer's settings name.
pub(super) fn checkpoint_folders(
    settings: &Settings,
) -> std::result::Result<Vec<PathBuf>, BuildError> {
    Ok(vec![settings.read::<QwenSettings>()?.checkpoint])
}
