//! mPLUG for questions about pictures, with the keys and the results of `MPlugForVisualQuestionAnswering` of
//! modelscope 1.9.5.
//!
//! Li et al., arXiv 2205.12005.

mod beam;
mod bert;
mod config;

pub use beam::Hypothesis;
pub use config::MplugConfig;

use super::clip::{ClipVision, open_clip_vision};
use super::nn::{LayerNorm, Linear, Mask, layer_norm, linear};
use super::weights::{Files, Held, load_as};
use super::{ModelError, Result, Weights};
use bert::{Embeddings, KeysValues, Layer, MASKED};
use candle_core::{D, DType, Device, Module, Tensor};
use std::sync::Arc;

/// The network.
#[derive(Debug, Clone)]
pub struct Mplug {
    visual_encoder: ClipVision,
    visn_fc: Option<(Linear, LayerNorm)>,
    embeddings: Embeddings,
    text_encoder: Vec<Layer>,
    fusion_encoder: Vec<Layer>,
    decoder_embeddings: Embeddings,
    text_decoder: Vec<Layer>,
    transform: (Linear, LayerNorm),
    decoder: Linear,
    config: MplugConfig,
}

/// A picture, ready for any number of questions.
#[derive(Debug, Clone)]
pub struct Seen {
    /// [1, N, D]
    embeds: Tensor,
    /// The keys and values of the decoder's layers, used if the fusion does not change the picture.
    memories: Vec<KeysValues>,
}

impl Mplug {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if a size is wrong, and when [`Weights::get`] fails.
    pub fn new(config: &MplugConfig, weights: &Weights) -> Result<Self> {
        let bert = &config.bert;
        let (width, vision) = (bert.hidden_size, config.vision.hidden_size);
        let eps = bert.layer_norm_eps;
        let fc = || {
            Ok::<_, ModelError>((
                linear(&weights.at("visn_fc"), vision, width, true)?,
                layer_norm(&weights.at("visn_layer_norm"), width, eps)?,
            ))
        };
        let layers = |name: &str, range: std::ops::Range<usize>, cross: Option<usize>| {
            let weights = weights.at(name);
            let layer = |number: usize| Layer::new(bert, &weights.at(number), cross);
            range.map(layer).collect::<Result<Vec<_>>>()
        };
        let first = bert.num_hidden_layers.saturating_sub(bert.fusion_layers);
        let predictions = weights.at("text_decoder.cls.predictions");
        let transform = predictions.at("transform");
        let decoder = predictions.at("decoder");
        Ok(Self {
            visual_encoder: ClipVision::new(
                &config.vision,
                &weights.at("visual_encoder.vision_model"),
            )?,
            visn_fc: (vision != width).then(fc).transpose()?,
            embeddings: Embeddings::new(bert, &weights.at("text_encoder.embeddings"))?,
            text_encoder: layers(
                "text_encoder.encoder.layer",
                0..bert.text_encoder_layers,
                None,
            )?,
            fusion_encoder: layers(
                "fusion_encoder.encoder.layer",
                first..bert.num_hidden_layers,
                Some(bert.encoder_width),
            )?,
            decoder_embeddings: Embeddings::new(bert, &weights.at("text_decoder.bert.embeddings"))?,
            text_decoder: layers(
                "text_decoder.bert.encoder.layer",
                0..bert.text_decode_layers,
                Some(bert.encoder_width),
            )?,
            transform: (
                linear(&transform.at("dense"), width, width, true)?,
                layer_norm(&transform.at("LayerNorm"), width, eps)?,
            ),
            decoder: linear(&decoder, width, bert.vocab_size, true)?,
            config: config.clone(),
        })
    }

    /// Loads the published `pytorch_model.bin`, in f32.
    ///
    /// # Errors
    /// Fails if weights and configuration do not fit.
    pub fn load(config: &MplugConfig, files: &Arc<Files>, device: &Device) -> Result<Self> {
        let stored = files.tensors();
        // Every name may have `model.` at its start or after its first part.
        let plain: std::collections::HashMap<String, &String> = stored
            .keys()
            .map(|name| (name.replace("model.", ""), name))
            .collect();
        let place = |name: &str| {
            let held = match name.strip_prefix("visual_encoder.vision_model.") {
                Some(rest) => {
                    let held = open_clip_vision(rest)?;
                    Held {
                        name: format!("visual_encoder.visual.{}", held.name),
                        ..held
                    }
                }
                None => Held::whole(name),
            };
            let name = plain
                .get(&held.name)
                .map_or(held.name.clone(), |name| (*name).clone());
            Some(Held { name, ..held })
        };
        load_as(files, DType::F32, device, place, |weights| {
            Self::new(config, weights)
        })
    }

    /// Side of a picture, in pixels.
    pub fn image_size(&self) -> usize {
        self.visual_encoder.image_size()
    }

    /// Pixels [1, 3, S, S] → the state that every question about the picture needs.
    ///
    /// # Errors
    /// Fails if the picture is not of the network's size.
    pub fn encode_picture(&self, pixel_values: &Tensor) -> Result<Seen> {
        let mut embeds = self.visual_encoder.tokens(pixel_values)?;
        if let Some((fc, norm)) = &self.visn_fc {
            embeds = norm.forward(&fc.forward(&embeds)?)?;
        }
        let memories = if self.joins() {
            Vec::new()
        } else {
            self.memories(&embeds)?
        };
        Ok(Seen { embeds, memories })
    }

    /// The best answer to a question: ids and mask [1, L], 1 for words and 0 for padding.
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary, or the question is too long.
    pub fn answer(&self, seen: &Seen, input_ids: &Tensor, mask: &Tensor) -> Result<Hypothesis> {
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(1)?.unsqueeze(1)?;
        let text_mask = ((1.0 - mask)? * MASKED)?;
        let mut text = self.embeddings.forward(input_ids)?;
        for layer in &self.text_encoder {
            text = layer.forward(&text, Mask::Add(&text_mask), None)?;
        }
        let (image, text) = self.fuse(&seen.embeds, text, &text_mask)?;
        let image_memories = if self.joins() {
            &self.memories(&image)?
        } else {
            &seen.memories
        };
        let memories = (self.memories(&text)?.iter().zip(image_memories))
            .map(|(text, image)| {
                Ok(KeysValues {
                    keys: Tensor::cat(&[&image.keys, &text.keys], 2)?,
                    values: Tensor::cat(&[&image.values, &text.values], 2)?,
                })
            })
            .collect::<candle_core::Result<Vec<_>>>()?;
        let mask = Tensor::cat(&[&open(&image)?, &text_mask], D::Minus1)?;
        beam::search(self.config.beam, |beams| {
            let length = beams[0].len();
            let ids: Vec<u32> = beams.concat();
            let ids = Tensor::from_vec(ids, (beams.len(), length), input_ids.device())?;
            let mut x = self.decoder_embeddings.forward(&ids)?;
            for (layer, memory) in self.text_decoder.iter().zip(&memories) {
                x = layer.forward(&x, Mask::Causal, Some((memory, Mask::Add(&mask))))?;
            }
            let last = x.narrow(1, length - 1, 1)?.squeeze(1)?;
            let (dense, norm) = &self.transform;
            let hidden = self.config.bert.hidden_act.apply(&dense.forward(&last)?)?;
            Ok(self.decoder.forward(&norm.forward(&hidden)?)?.to_vec2()?)
        })
    }

    /// Whether picture and text attend to each other in one sequence in some layer, which changes the states
    /// of the picture.
    fn joins(&self) -> bool {
        self.fusion_encoder.len() > self.config.bert.stride_layer
    }

    /// The keys and values of the decoder's cross-attentions for these states.
    fn memories(&self, states: &Tensor) -> Result<Vec<KeysValues>> {
        let layers = self.text_decoder.iter();
        let memories = layers.map(|layer| layer.memory(states));
        let memories: Vec<Option<KeysValues>> = memories.collect::<candle_core::Result<_>>()?;
        Ok(memories.into_iter().flatten().collect())
    }

    fn fuse(
        &self,
        embeds: &Tensor,
        mut text: Tensor,
        text_mask: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let mut image = embeds.clone();
        for (number, layer) in self.fusion_encoder.iter().enumerate() {
            if number == 0 || number % self.config.bert.stride_layer != 0 {
                let memory = layer.memory(&image)?;
                let memory = memory.as_ref().map(|memory| (memory, Mask::None));
                text = layer.forward(&text, Mask::Add(text_mask), memory)?;
                continue;
            }
            let (pixels, words) = (image.dim(1)?, text.dim(1)?);
            let mask = Tensor::cat(&[&open(&image)?, text_mask], D::Minus1)?;
            let joined = Tensor::cat(&[&image, &text], 1)?;
            let joined = layer.forward(&joined, Mask::Add(&mask), None)?;
            image = (image + joined.narrow(1, 0, pixels)?)?;
            text = joined.narrow(1, pixels, words)?;
        }
        Ok((image, text.contiguous()?))
    }
}

/// A mask [1, 1, 1, N] that hides nothing of a picture.
fn open(image: &Tensor) -> candle_core::Result<Tensor> {
    Tensor::zeros((1, 1, 1, image.dim(1)?), DType::F32, image.device())
}
