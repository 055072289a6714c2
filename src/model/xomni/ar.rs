//! The autoregressive model: a Qwen2.5 between layers that update only image tokens.
//!
//! In those layers, image tokens also attend to the keys and values of words. Nothing else is computed for
//! words.

use super::XOmniConfig;
use crate::model::nn::{Embedding, Linear, Mask, RmsNorm, embedding, linear, rms_norm};
use crate::model::qwen2::{Angles, DecoderLayer, Past};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Device, Module, Tensor};
use std::ops::Range;

/// The network, with tables, norms and output layers for words (`lm_*`) and for image tokens (`mm_*`).
pub struct XOmniAr {
    config: XOmniConfig,
    lm_embed_tokens: Embedding,
    mm_embed_tokens: Embedding,
    pub(super) layers: Vec<DecoderLayer>,
    lm_norm: RmsNorm,
    mm_norm: RmsNorm,
    lm_head: Linear,
    /// Only the rows of tokens that can be drawn.
    mm_head: Linear,
}

/// The keys and values of the sequences of a batch. Shorter prompts are padded with zeros at the start, so
/// that all sequences continue at the same position.
pub struct Cache {
    layers: Vec<Past>,
    /// Number of tokens of each sequence.
    lengths: Vec<usize>,
    /// Minus infinity at the padding, [B, 1, 1, positions]. `None` if all sequences have the same length.
    hidden: Option<Tensor>,
    /// Number of positions in memory.
    filled: usize,
}

impl Cache {
    /// So many copies of one sequence as a batch, with room for `room` tokens after each.
    ///
    /// # Errors
    /// Fails if there are several sequences already, or the device has no room.
    pub fn repeat(&self, times: usize, room: usize) -> Result<Self> {
        let [length] = self.lengths[..] else {
            return Err(ModelError::Input(
                "only a single sequence can be repeated".into(),
            ));
        };
        let layers = self.layers.iter();
        let layers = layers.map(|past| Past::join(&vec![past; times], self.filled + room));
        Ok(Self {
            layers: layers.collect::<candle_core::Result<_>>()?,
            lengths: vec![length; times],
            hidden: None,
            filled: self.filled,
        })
    }
}

impl XOmniAr {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &XOmniConfig, weights: &Weights) -> Result<Self> {
        let (model, width) = (weights.at("model"), config.hidden_size);
        let shape = config.layer();
        let table = |name: &str, rows| embedding(&model.at(name), rows, width);
        let norm = |name: &str| rms_norm(&model.at(name), width, config.rms_norm_eps);
        let layer = |index| DecoderLayer::new(&shape, &model.at("layers").at(index));
        let mm_head = weights
            .at("mm_head")
            .get("weight", (config.mm_vocab_size, width))?;
        Ok(Self {
            lm_embed_tokens: table("lm_embed_tokens", config.vocab_size)?,
            mm_embed_tokens: table("mm_embed_tokens", config.mm_vocab_size)?,
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<Result<_>>()?,
            lm_norm: norm("lm_norm")?,
            mm_norm: norm("mm_norm")?,
            lm_head: linear(&weights.at("lm_head"), width, config.vocab_size, false)?,
            mm_head: Linear::new(mm_head.narrow(0, 0, config.image_vocab_size)?, None),
            config: config.clone(),
        })
    }

    /// The configuration of the model.
    pub fn config(&self) -> &XOmniConfig {
        &self.config
    }

    pub(super) fn device(&self) -> &Device {
        self.lm_embed_tokens.embeddings().device()
    }

    /// The tables of words and of image tokens.
    pub(super) fn tables(&self) -> [&Embedding; 2] {
        [&self.lm_embed_tokens, &self.mm_embed_tokens]
    }

    /// The final norms of words and of image tokens.
    pub(super) fn norms(&self) -> [&RmsNorm; 2] {
        [&self.lm_norm, &self.mm_norm]
    }

    /// Rotary angles, with one number for every kind of token.
    pub(super) fn angles(&self, positions: impl ExactSizeIterator<Item = usize>) -> Result<Angles> {
        let XOmniConfig {
            hidden_size,
            num_attention_heads,
            rope_theta,
            ..
        } = self.config;
        let half = hidden_size / num_attention_heads / 2;
        Angles::plain(positions, rope_theta, half, self.device())
    }

    /// Final states of all positions, [1, L, D].
    ///
    /// # Errors
    /// Fails if there are no ids, or one is outside both vocabularies.
    pub fn hidden_states(&self, ids: &[u32]) -> Result<Tensor> {
        Ok(self.read(ids, None)?.unsqueeze(0)?)
    }

    /// Reads a prompt of words and pictures, after which `room` tokens will follow. Returns the cache and the
    /// state of the last position [1, D].
    ///
    /// # Errors
    /// Fails when [`Self::hidden_states`] fails.
    pub fn start(&self, ids: &[u32], room: usize) -> Result<(Cache, Tensor)> {
        let past = || Past::with_room(ids.len() + room);
        let mut cache = Cache {
            layers: self.layers.iter().map(|_| past()).collect(),
            lengths: vec![ids.len()],
            hidden: None,
            filled: ids.len(),
        };
        let states = self.read(ids, Some(&mut cache))?;
        Ok((cache, states.narrow(0, ids.len() - 1, 1)?))
    }

    /// The states [L, D], after the final norms, of a sequence without a past.
    fn read(&self, ids: &[u32], mut cache: Option<&mut Cache>) -> Result<Tensor> {
        let mut x = self.embed(ids)?.unsqueeze(0)?;
        let spans = self.image_spans(ids);
        let angles = self.angles(0..ids.len())?;
        for (index, layer) in self.layers.iter().enumerate() {
            let past = cache
                .as_deref_mut()
                .and_then(|cache| cache.layers.get_mut(index));
            x = if self.config.is_language_layer(index) {
                layer.forward(&x, &angles, past, Mask::Causal)?
            } else {
                layer.forward_some(&x, &angles, past, &spans)?
            };
        }
        self.norm(&x.squeeze(0)?, ids)
    }

    /// Joins the caches of single prompts into a batch, with room for `room` image tokens after each.
    ///
    /// # Errors
    /// Fails if there is none, or the device has no room.
    pub fn join(&self, caches: &[Cache], room: usize) -> Result<Cache> {
        let filled = caches.iter().map(|cache| cache.filled).max().unwrap_or(0);
        let lengths: Vec<usize> = caches
            .iter()
            .flat_map(|cache| cache.lengths.clone())
            .collect();
        let layer = |index: usize| {
            let pasts: Vec<&Past> = caches
                .iter()
                .filter_map(|cache| cache.layers.get(index))
                .collect();
            Past::join(&pasts, filled + room)
        };
        let layers = (0..self.layers.len())
            .map(layer)
            .collect::<candle_core::Result<_>>()?;
        let hidden = lengths.iter().any(|&length| length != filled);
        Ok(Cache {
            hidden: hidden
                .then(|| hidden_positions(&lengths, filled, filled + room, self.device()))
                .transpose()?,
            layers,
            lengths,
            filled,
        })
    }

    /// Adds one image token to every sequence of a batch. Returns their states [B, D].
    ///
    /// # Errors
    /// Fails if an id does not belong to an image token, or if there is not exactly one id for each sequence.
    pub fn step(&self, ids: &[u32], cache: &mut Cache) -> Result<Tensor> {
        if let Some(id) = ids.iter().find(|&&id| !self.config.is_image(id)) {
            return Err(ModelError::Input(format!(
                "token {id} is not an image token"
            )));
        }
        self.advance(ids, cache, &|_| true)
    }

    /// Adds one word to a conversation. Returns its state [1, D]. Words skip the layers for image tokens, and
    /// no picture may follow them.
    ///
    /// # Errors
    /// Fails if the id does not belong to a word, or if the cache has several sequences.
    pub fn say(&self, id: u32, cache: &mut Cache) -> Result<Tensor> {
        if self.config.is_image(id) {
            return Err(ModelError::Input(format!(
                "token {id} is an image token, not a word"
            )));
        }
        self.advance(&[id], cache, &|index| self.config.is_language_layer(index))
    }

    fn advance(
        &self,
        ids: &[u32],
        cache: &mut Cache,
        passes: &dyn Fn(usize) -> bool,
    ) -> Result<Tensor> {
        if ids.len() != cache.lengths.len() {
            return Err(ModelError::Input(format!(
                "there are {} tokens for {} sequences",
                ids.len(),
                cache.lengths.len()
            )));
        }
        let mut x = self.embed(ids)?.unsqueeze(1)?;
        let angles = self.angles(cache.lengths.iter().copied())?.each_alone()?;
        let hidden = match &cache.hidden {
            Some(all) => Some(all.narrow(3, 0, cache.filled + 1)?),
            None => None,
        };
        let mask = hidden.as_ref().map_or(Mask::None, Mask::Add);
        for (index, layer) in self
            .layers
            .iter()
            .enumerate()
            .filter(|(index, _)| passes(*index))
        {
            x = layer.forward(&x, &angles, cache.layers.get_mut(index), mask)?;
        }
        cache.lengths.iter_mut().for_each(|length| *length += 1);
        cache.filled += 1;
        self.norm(&x.squeeze(1)?, ids)
    }

    /// Scores of the words [.., V] after states [.., D].
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn text_logits(&self, states: &Tensor) -> Result<Tensor> {
        Ok(self.lm_head.forward(states)?)
    }

    /// Scores of the image tokens [.., codes] after states [.., D].
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn image_logits(&self, states: &Tensor) -> Result<Tensor> {
        Ok(self.mm_head.forward(states)?)
    }

    /// Spans of positions with image tokens.
    pub(super) fn image_spans(&self, ids: &[u32]) -> Vec<Range<usize>> {
        let mut start = 0;
        let spans = ids.chunk_by(|&a, &b| self.config.is_image(a) == self.config.is_image(b));
        spans
            .filter_map(|span| {
                let range = start..start + span.len();
                start = range.end;
                self.config.is_image(span[0]).then_some(range)
            })
            .collect()
    }

    /// Applies one of two functions to every span of rows of one kind.
    fn by_kind(
        &self,
        ids: &[u32],
        words: &dyn Fn(Range<usize>) -> Result<Tensor>,
        images: &dyn Fn(Range<usize>) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let (mut parts, mut end) = (Vec::new(), 0);
        for Range { start, end: next } in self.image_spans(ids) {
            if start > end {
                parts.push(words(end..start)?);
            }
            parts.push(images(start..next)?);
            end = next;
        }
        if end < ids.len() {
            parts.push(words(end..ids.len())?);
        }
        Ok(Tensor::cat(&parts, 0)?)
    }

    /// Token vectors [L, D].
    pub(super) fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        let words = self.config.vocab_size;
        let all = words + self.config.mm_vocab_size;
        if ids.is_empty() {
            return Err(ModelError::Input("there are no tokens".into()));
        }
        if let Some(id) = ids.iter().find(|&&id| id as usize >= all) {
            return Err(ModelError::Input(format!(
                "token {id} is outside the vocabularies of {all} tokens"
            )));
        }
        let rows = |table: &Embedding, span: Range<usize>, first: usize| -> Result<Tensor> {
            let ids: Vec<u32> = ids[span].iter().map(|id| id - first as u32).collect();
            Ok(table.forward(&Tensor::new(ids, self.device())?)?)
        };
        self.by_kind(ids, &|span| rows(&self.lm_embed_tokens, span, 0), &|span| {
            rows(&self.mm_embed_tokens, span, words)
        })
    }

    /// The final norms of states [L, D].
    fn norm(&self, x: &Tensor, ids: &[u32]) -> Result<Tensor> {
        let normed = |norm: &RmsNorm, span: Range<usize>| -> Result<Tensor> {
            Ok(norm.forward(&x.narrow(0, span.start, span.len())?.contiguous()?)?)
        };
        self.by_kind(ids, &|span| normed(&self.lm_norm, span), &|span| {
            normed(&self.mm_norm, span)
        })
    }
}

/// Minus infinity at the padding of sequences that are shorter than `filled`, [B, 1, 1, all].
fn hidden_positions(
    lengths: &[usize],
    filled: usize,
    all: usize,
    device: &Device,
) -> Result<Tensor> {
    let rows: Vec<f32> = lengths
        .iter()
        .flat_map(|length| {
            let zeros = filled - length;
            (0..all).map(move |position| {
                if position < zeros {
                    f32::NEG_INFINITY
                } else {
                    0.0
                }
            })
        })
        .collect();
    Ok(Tensor::from_vec(rows, (lengths.len(), 1, 1, all), device)?)
}
