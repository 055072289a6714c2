//! Qwen3-VL, the dense models: after transformers' `Qwen3VLForConditionalGeneration`, still images only.
//!
//! Bai et al., arXiv 2511.21631. `qwen3_vl` of candle-transformers is not used: it has no causal mask when it
//! reads a prompt, its rotary positions have one axis, its output layer wants a bias, its mergers have the
//! tanh approximation of GELU, and its cache cannot be emptied. The case `qwen3_vl` shows the difference.

mod config;
mod generate;
mod layer;
mod vision;

pub use config::{Qwen3VlConfig, TextConfig, VisionConfig};
pub use vision::ImageFeatures;

use super::nn::{Embedding, Linear, RmsNorm, embedding, linear, rms_norm};
use super::{ModelError, Result, Weights};
use crate::model::qwen2::{Angles, Past, frequencies};
use crate::model::qwen2_5_vl::{Positions, Prompt};
use candle_core::{D, DType, Module, Tensor};
use layer::Layer;
use vision::Vision;

/// The model.
pub struct Qwen3Vl {
    config: Qwen3VlConfig,
    vision: Vision,
    embed_tokens: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    lm_head: Linear,
}

/// The vectors of a prompt, with those that are added after the first layers, both [1, L, D].
struct Embedded {
    tokens: Tensor,
    deepstack: Vec<Tensor>,
}

impl Qwen3Vl {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has another shape.
    pub fn new(config: &Qwen3VlConfig, weights: &Weights) -> Result<Self> {
        let text = &config.text;
        let (hidden, words) = (text.hidden_size, text.vocab_size);
        let language = weights.at("model.language_model");
        let layer = |index| Layer::new(text, &language.at("layers").at(index));
        let embed_tokens = embedding(&language.at("embed_tokens"), words, hidden)?;
        let lm_head = if config.tie_word_embeddings {
            Linear::new(embed_tokens.embeddings().clone(), None)
        } else {
            linear(&weights.at("lm_head"), hidden, words, false)?
        };
        Ok(Self {
            vision: Vision::new(&config.vision, &weights.at("model.visual"))?,
            embed_tokens,
            layers: (0..text.num_hidden_layers)
                .map(layer)
                .collect::<Result<_>>()?,
            norm: rms_norm(&language.at("norm"), hidden, text.rms_norm_eps)?,
            lm_head,
            config: config.clone(),
        })
    }

    /// The configuration that the model was built from.
    pub fn config(&self) -> &Qwen3VlConfig {
        &self.config
    }

    /// The features of images. `pixel_values` [P, C·T·p·p] has the patches of all images in the processor's
    /// order, and `grids` their (t, h, w) in patches.
    ///
    /// # Errors
    /// Fails if the number or size of patches is not that of the grids.
    pub fn image_features(
        &self,
        pixel_values: &Tensor,
        grids: &[[usize; 3]],
    ) -> Result<ImageFeatures> {
        self.vision.forward(pixel_values, grids)
    }

    /// Rotary positions of a prompt.
    ///
    /// # Errors
    /// Fails if its image tokens are not those of the grids.
    pub fn positions(&self, input_ids: &[u32], grids: &[[usize; 3]]) -> Result<Positions> {
        let merge = self.config.vision.spatial_merge_size;
        Positions::of_images(self.config.image_token_id, merge, input_ids, grids)
    }

    /// Hidden states of all positions after the final norm, [1, L, D].
    ///
    /// # Errors
    /// Fails if image tokens, `images` and `grids` do not agree, or an id is outside the vocabulary.
    pub fn hidden_states(
        &self,
        input_ids: &[u32],
        images: Option<&ImageFeatures>,
        grids: &[[usize; 3]],
    ) -> Result<Tensor> {
        let positions = self.positions(input_ids, grids)?;
        let embedded = self.embed(input_ids, images)?;
        self.decode(&embedded, &self.angles(&positions.tokens)?, &mut [])
    }

    /// Scores of the token that follows the last position: hidden states [1, L, D] → [1, V], in f32.
    ///
    /// # Errors
    /// Fails if there are no hidden states.
    pub fn logits(&self, hidden_states: &Tensor) -> Result<Tensor> {
        let length = hidden_states.dim(1)?;
        let last = length
            .checked_sub(1)
            .ok_or_else(|| ModelError::Input("there are no hidden states".into()))?;
        let last = hidden_states.narrow(1, last, 1)?.squeeze(1)?;
        let scores = self.lm_head.forward(&last.contiguous()?)?;
        Ok(scores.to_dtype(DType::F32)?)
    }

    /// The probabilities of tokens as the next one, over the whole vocabulary: scores [1, V] → [1, A].
    ///
    /// # Errors
    /// Fails if an id is outside the vocabulary.
    pub fn probabilities(&self, logits: &Tensor, ids: &[u32]) -> Result<Tensor> {
        let all = candle_nn::ops::softmax_last_dim(&logits.contiguous()?)?;
        let ids = Tensor::new(ids, logits.device())?;
        Ok(all.index_select(&ids, D::Minus1)?)
    }

    /// The layers and the final norm. `past` is empty, or has one entry for each layer.
    fn decode(&self, embedded: &Embedded, angles: &Angles, past: &mut [Past]) -> Result<Tensor> {
        let mut x = embedded.tokens.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x, angles, past.get_mut(index))?;
            if let Some(added) = embedded.deepstack.get(index) {
                x = (x + added)?;
            }
        }
        Ok(self.norm.forward(&x)?)
    }

    fn angles(&self, tokens: &[[u32; 3]]) -> Result<Angles> {
        let rows = self.config.text.rows();
        let frequencies = frequencies(self.config.text.theta(), rows.len());
        let angles = tokens.iter().flat_map(|token| {
            let of = |(&row, &frequency): (&usize, &f32)| token[row] as f32 * frequency;
            rows.iter().zip(&frequencies).map(of)
        });
        let shape = (tokens.len(), rows.len());
        Angles::new(
            angles.collect(),
            shape,
            self.embed_tokens.embeddings().device(),
        )
    }

    /// Token vectors, in which the vectors of images replace the image tokens, and the vectors that are added
    /// at these positions later.
    fn embed(&self, ids: &[u32], images: Option<&ImageFeatures>) -> Result<Embedded> {
        let prompt = Prompt {
            ids,
            image_token: self.config.image_token_id,
        };
        let given = images.map_or(Ok(0), |images| images.embeds.dim(0))?;
        prompt.check(self.config.text.vocab_size, given)?;
        let table = self.embed_tokens.embeddings();
        let plain = self
            .embed_tokens
            .forward(&Tensor::new(ids, table.device())?)?;
        let Some(images) = images.filter(|_| given > 0) else {
            return Ok(Embedded {
                tokens: plain.unsqueeze(0)?,
                deepstack: Vec::new(),
            });
        };
        let nothing = plain.zeros_like()?;
        let deepstack = images.deepstack.iter();
        Ok(Embedded {
            tokens: prompt.splice(&images.embeds, &plain)?,
            deepstack: deepstack
                .map(|features| prompt.splice(features, &nothing))
                .collect::<Result<_>>()?,
        })
    }
}
