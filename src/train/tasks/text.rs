//! FLUX's text encoders: T5 for every token, CLIP for one vector.

use crate::model::clip::{ClipText, ClipTextConfig};
use crate::model::t5::{T5Config, T5Encoder};
use crate::model::tokenizer::Tokenizer;
use crate::model::{read_config, weights};
use crate::train::TrainError;
use crate::train::sources::files;
use candle_core::{DType, Device, Tensor};
use std::path::Path;

/// The two text encoders.
pub(super) struct Text {
    /// The encoder of the text sequence.
    pub t5: T5Encoder,
    /// Its tokenizer.
    pub t5_tokens: Tokenizer,
    /// How many tokens it gets for a prompt, padding included.
    pub t5_length: usize,
    /// The encoder of the pooled vector.
    pub clip: ClipText,
    /// Its tokenizer.
    pub clip_tokens: Tokenizer,
    /// How many tokens it gets for a prompt, padding included.
    pub clip_length: usize,
    /// The device that computes both.
    pub device: Device,
}

impl Text {
    /// The frozen text encoders of a folder in FLUX.1's layout. T5 sees so many tokens.
    ///
    /// # Errors
    /// Fails if a file is absent or damaged.
    pub(super) fn open(flux: &Path, t5_length: usize, device: &Device) -> Result<Self, TrainError> {
        let (clip, t5) = (flux.join("text_encoder"), flux.join("text_encoder_2"));
        let clip_config: ClipTextConfig = read_config(&clip.join("config.json"))?;
        let t5_config: T5Config = read_config(&t5.join("config.json"))?;
        Ok(Self {
            t5: weights::load(&files(&t5)?, DType::F32, device, |weights| {
                T5Encoder::new(&t5_config, weights)
            })?,
            t5_tokens: Tokenizer::open(&flux.join("tokenizer_2"))?,
            t5_length,
            clip: weights::load(&files(&clip)?, DType::F32, device, |weights| {
                ClipText::new(&clip_config, weights)
            })?,
            clip_tokens: Tokenizer::open(&flux.join("tokenizer"))?,
            clip_length: clip_config.max_position_embeddings,
            device: device.clone(),
        })
    }

    /// T5's states [B, L, J] and CLIP's pooled vectors [B, P] of texts.
    ///
    /// # Errors
    /// Fails if a vocabulary lacks a special token or a length has no room for it.
    pub(super) fn encode(&self, t5: &[&str], clip: &[&str]) -> Result<[Tensor; 2], TrainError> {
        let ids = |rows: Vec<Vec<u32>>| -> Result<Tensor, TrainError> {
            let (count, length) = (rows.len(), rows.first().map_or(0, Vec::len));
            let rows = rows.concat();
            Ok(Tensor::from_vec(rows, (count, length), &self.device)?)
        };
        let rows = t5
            .iter()
            .map(|text| Ok(self.t5_tokens.t5_ids(text, self.t5_length)?.ids));
        let states = self
            .t5
            .forward(&ids(rows.collect::<Result<_, TrainError>>()?)?)?;
        let rows = clip
            .iter()
            .map(|text| Ok(self.clip_tokens.clip_ids(text, self.clip_length)?.ids));
        let pooled = self
            .clip
            .forward(&ids(rows.collect::<Result<_, TrainError>>()?)?)?;
        Ok([states, pooled.pooled])
    }
}
