//! The phase `text`: T5's states and CLIP's pooled vector of a prompt.

use super::networks::{Network, fatal, running};
use super::scratch::{Key, Named};
use super::stage::{Made, Stage, Step};
use super::{NEGATIVE_POOLED, NEGATIVE_T5, POOLED, T5};
use crate::cancel::Cancel;
use crate::generate::{GenerateError, Request};
use crate::model::clip::{ClipText, ClipTextConfig};
use crate::model::t5::{T5Config, T5Encoder};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Checked;
use crate::model::{ModelError, read_config};
use crate::record::{Object, Task};
use candle_core::{DType, Device, Tensor};
use std::path::Path;

/// T5 with its tokenizer.
pub struct T5Text {
    pub encoder: Network<T5Encoder>,
    pub tokenizer: Tokenizer,
    /// Tokens, padded or cut to this.
    pub length: usize,
}

/// CLIP with its tokenizer.
pub struct PooledText {
    pub encoder: Network<ClipText>,
    pub tokenizer: Tokenizer,
    pub length: usize,
}

/// The text encoders of FLUX.
pub struct Text {
    /// None: T5 does not join, and CLIP sees the empty text.
    pub t5: Option<T5Text>,
    pub clip: PooledText,
    /// Whether the empty text is encoded beside the prompt.
    pub negative: bool,
    pub device: Device,
    pub dtype: DType,
}

impl Text {
    /// Opens the encoders of a folder laid out as FLUX.1's; `t5_length` none leaves T5 out.
    ///
    /// # Errors
    /// When a file is absent or damaged.
    pub fn open(
        flux: &Path,
        t5_length: Option<usize>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, GenerateError> {
        let folder = flux.join("text_encoder");
        let config: ClipTextConfig = read_config(&folder.join("config.json")).map_err(fatal)?;
        let clip = PooledText {
            length: config.max_position_embeddings,
            tokenizer: Tokenizer::open(&flux.join("tokenizer")).map_err(fatal)?,
            encoder: Network::open(&folder, dtype, device, move |weights| {
                ClipText::new(&config, weights)
            })?,
        };
        let open_t5 = |length: usize| -> Result<T5Text, GenerateError> {
            if length == 0 {
                return Err(GenerateError::fatal(
                    "`max_sequence_length` = 0: T5 needs room for its end token",
                    "the published evaluations use 256 or 512",
                ));
            }
            let folder = flux.join("text_encoder_2");
            let config: T5Config = read_config(&folder.join("config.json")).map_err(fatal)?;
            Ok(T5Text {
                length,
                tokenizer: Tokenizer::open(&flux.join("tokenizer_2")).map_err(fatal)?,
                encoder: Network::open(&folder, dtype, device, move |weights| {
                    T5Encoder::new(&config, weights)
                })?,
            })
        };
        Ok(Self {
            t5: t5_length.map(open_t5).transpose()?,
            clip,
            negative: false,
            device: device.clone(),
            dtype,
        })
    }

    fn prompt<'a>(&self, request: &Request<'a>) -> &'a str {
        if self.t5.is_some() {
            &request.item.prompt
        } else {
            ""
        }
    }
}

impl Stage for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn bytes(&self) -> u64 {
        self.clip.encoder.bytes() + self.t5.as_ref().map_or(0, |t5| t5.encoder.bytes())
    }

    fn loaded(&self) -> bool {
        self.clip.encoder.is_loaded()
    }

    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        if let Some(t5) = &mut self.t5 {
            t5.encoder.load(check)?;
        }
        self.clip.encoder.load(check)
    }

    fn unload(&mut self) {
        if let Some(t5) = &mut self.t5 {
            t5.encoder.unload();
        }
        self.clip.encoder.unload();
    }

    fn wants(&self, request: &Request<'_>) -> bool {
        request.item.task != Task::Understand
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let length = self.t5.as_ref().map_or(0, |t5| t5.length);
        let how = format!("text {length} {} {:?}", self.negative, self.dtype);
        let prompt = self.prompt(request).as_bytes();
        Ok(Key::of(&[how.as_bytes(), prompt, before.as_bytes()]))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let prompt = self.prompt(request);
        let (mut tensors, cut) = self.encode(prompt, [T5, POOLED])?;
        if self.negative {
            tensors.extend(self.encode("", [NEGATIVE_T5, NEGATIVE_POOLED])?.0);
        }
        let mut extra = Object::new();
        if !cut.is_empty() {
            extra.insert("prompt_truncated_for".into(), cut.into());
        }
        Ok(Step {
            made: Made::Tensors(tensors),
            extra,
        })
    }
}

impl Text {
    /// The states of a text under the names given, and the encoders for which it was too long.
    fn encode(
        &mut self,
        text: &str,
        [t5_name, pooled_name]: [&str; 2],
    ) -> Result<(Named, Vec<&'static str>), GenerateError> {
        let wrong = running("text");
        let device = self.device.clone();
        let mut tensors = Named::new();
        let mut cut = Vec::new();
        let tensor = |ids: &[u32]| Ok::<_, ModelError>(Tensor::new(ids, &device)?.unsqueeze(0)?);
        if let Some(t5) = &mut self.t5 {
            let padded = t5.tokenizer.t5_ids(text, t5.length).map_err(&wrong)?;
            let encoder = t5.encoder.get()?;
            let states = tensor(&padded.ids)
                .and_then(|ids| encoder.forward(&ids))
                .map_err(&wrong)?;
            tensors.insert(t5_name.into(), states);
            if padded.truncated {
                cut.push("t5");
            }
        }
        let clip = &mut self.clip;
        let padded = clip.tokenizer.clip_ids(text, clip.length).map_err(&wrong)?;
        let encoder = clip.encoder.get()?;
        let states = tensor(&padded.ids)
            .and_then(|ids| encoder.forward(&ids))
            .map_err(&wrong)?;
        tensors.insert(pooled_name.into(), states.pooled);
        if padded.truncated {
            cut.push("clip");
        }
        Ok((tensors, cut))
    }
}
