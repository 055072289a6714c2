//! CLIP-FlanT5, the network of VQAScore: T5 over a question that contains a picture. It has the keys and the
//! results of `CLIPT5ForConditionalGeneration` (github.com/linzhiqiu/CLIP-FlanT5).
//!
//! Lin et al., arXiv 2404.01291. Pictures are read as in LLaVA, arXiv 2310.03744.

mod config;
mod prompt;

pub use config::{ClipFlanT5Config, Feature};
pub use prompt::{Prompt, answer};

use super::clip::{ClipVision, ClipVisionConfig};
use super::nn::{Linear, linear};
use super::t5::T5;
use super::weights::{Files, load};
use super::{ModelError, Result, Weights, read_config};
use candle_core::{D, DType, Device, IndexOp, Module, Tensor};
use config::TowerConfig;
use std::path::Path;
use std::sync::Arc;

/// The network.
#[derive(Debug, Clone)]
pub struct ClipFlanT5 {
    vision: ClipVision,
    /// Number of layers of the vision tower that are run.
    depth: usize,
    feature: Feature,
    rest: Rest,
}

/// All but the vision tower.
#[derive(Debug, Clone)]
struct Rest {
    mm_projector: Vec<Linear>,
    t5: T5,
}

/// The files of a network.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// `config.json`.
    pub config: &'a Path,
    /// A file of weights, or a folder with one or with shards.
    pub weights: &'a Path,
}

impl Rest {
    fn new(config: &ClipFlanT5Config, weights: &Weights) -> Result<Self> {
        let (layers, width) = (config.projector_layers()?, config.t5.d_model);
        let projector = weights.at("mm_projector");
        let layer = |number: usize| {
            // In the names, activations count as layers.
            let place = match config.mm_projector_type.as_str() {
                "linear" => projector.clone(),
                _ => projector.at(2 * number),
            };
            let input = if number == 0 {
                config.mm_hidden_size
            } else {
                width
            };
            linear(&place, input, width, true)
        };
        Ok(Self {
            mm_projector: (0..layers).map(layer).collect::<Result<_>>()?,
            t5: T5::new(&config.t5, weights)?,
        })
    }
}

impl ClipFlanT5 {
    /// Loads a checkpoint and its vision tower. As in the authors' program, the tower comes from CLIP itself,
    /// and copies of it in the checkpoint are not read.
    ///
    /// # Errors
    /// Fails if a file is absent or damaged, or weights and configuration do not fit.
    pub fn open(
        own: Place<'_>,
        vision_tower: Place<'_>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let config: ClipFlanT5Config = read_config(own.config)?;
        let tower: TowerConfig = read_config(vision_tower.config)?;
        let tower: &ClipVisionConfig = tower.vision();
        if tower.hidden_size != config.mm_hidden_size {
            return Err(ModelError::config(
                vision_tower.config,
                format!(
                    "the vision tower is {} wide, but `mm_hidden_size` of CLIP-FlanT5 is {}",
                    tower.hidden_size, config.mm_hidden_size
                ),
            ));
        }
        let files = Arc::new(Files::open(vision_tower.weights)?);
        let vision = load(&files, dtype, device, |weights| {
            ClipVision::new(tower, &weights.at("vision_model"))
        })?;
        let files = Arc::new(Files::open(own.weights)?);
        Ok(Self {
            vision,
            depth: config.vision_depth(tower.num_hidden_layers)?,
            feature: config.mm_vision_select_feature,
            rest: load(&files, dtype, device, |weights| Rest::new(&config, weights))?,
        })
    }

    /// Side of a picture, in pixels.
    pub fn image_size(&self) -> usize {
        self.vision.image_size()
    }

    /// Pixels [B, 3, S, S] → the vectors that represent the picture in the text, [B, N, D].
    ///
    /// # Errors
    /// Fails if the pictures are not of the tower's size.
    pub fn image_features(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let states = self.vision.states(pixel_values, self.depth)?;
        let mut x = match self.feature {
            Feature::Patch => states.narrow(1, 1, states.dim(1)? - 1)?.contiguous()?,
            Feature::ClsPatch => states,
        };
        for (number, layer) in self.rest.mm_projector.iter().enumerate() {
            if number > 0 {
                x = x.gelu_erf()?;
            }
            x = layer.forward(&x)?;
        }
        Ok(x)
    }

    /// The encoder's states of a prompt with a picture's features [1, N, D] in it, [1, L, D].
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary.
    pub fn encode(&self, prompt: &Prompt, image_features: &Tensor) -> Result<Tensor> {
        let encoder = &self.rest.t5.encoder;
        let embed = |ids: &[u32]| {
            let ids = Tensor::new(ids, image_features.device())?;
            encoder.embed(&ids.unsqueeze(0)?)
        };
        let (before, after) = (embed(&prompt.before)?, embed(&prompt.after)?);
        encoder.forward_embeds(&Tensor::cat(&[&before, image_features, &after], 1)?)
    }

    /// The scores [1, T, V] by which each token of an answer is chosen.
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary.
    pub fn answer_logits(&self, encoded: &Tensor, answer: &[u32]) -> Result<Tensor> {
        self.rest.t5.answer_logits(encoded, answer)
    }
}

/// The natural logarithms of the probabilities of an answer's tokens, from scores [1, T, V]. Scores from the
/// index `vocabulary` on belong to no token, and the authors' program drops them.
///
/// # Errors
/// Fails if the scores are of another answer.
pub fn log_probabilities(logits: &Tensor, answer: &[u32], vocabulary: usize) -> Result<Vec<f32>> {
    let known = vocabulary.min(logits.dim(D::Minus1)?);
    let logits = logits.i(0)?.narrow(D::Minus1, 0, known)?;
    let all = candle_nn::ops::log_softmax(&logits.to_dtype(DType::F32)?, D::Minus1)?;
    let answer = Tensor::new(answer, logits.device())?.unsqueeze(1)?;
    Ok(all
        .contiguous()?
        .gather(&answer, 1)?
        .squeeze(1)?
        .to_vec1()?)
}

/// VQAScore: the exponential of the mean log probability, which is the geometric mean of the tokens'
/// probabilities.
pub fn score(log_probabilities: &[f32]) -> f64 {
    let sum: f64 = log_probabilities.iter().map(|log| f64::from(*log)).sum();
    (sum / log_probabilities.len().max(1) as f64).exp()
}
