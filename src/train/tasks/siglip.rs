//! Training of SigLIP's vision tower (Zhai et al., arXiv 2303.15343): pictures and descriptions of everything
//! that they show, where each pair is a yes or a no of its own. Only the vision tower is published.

use super::description::TaskDescription;
use super::encoder::{self, Batch};
use crate::model::clip::{ClipText, ClipTextConfig, normalise};
use crate::model::nn::{Linear, linear};
use crate::model::processor::FixedProcessor;
use crate::model::siglip::{SiglipVision, SiglipVisionConfig};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Variables;
use crate::train::TrainError;
use crate::train::description::describe;
use crate::train::probe::probe;
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::vocabulary::{self, Kind};
use candle_core::{D, Device, Module, Tensor};
use image::RgbImage;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `siglip`.
pub(super) static SIGLIP: TaskDescription = TaskDescription {
    name: "siglip",
    about: "SigLIP's vision tower beside a text tower: pictures of the miniature world with descriptions of all they show.",
    roles: &["begin"],
    open: |setup| Ok(Box::new(Siglip::new(setup)?)),
};

/// How many pictures a check has. Each must find its own description.
const CHECKED: usize = 64;

/// `network` of the task `siglip`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    vision_config: SiglipVisionConfig,
    text_config: ClipTextConfig,
}

/// `settings` of the task `siglip`: what the loss begins with.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SiglipSettings {
    /// What cosines are multiplied with; its logarithm is learnt.
    temperature: f64,
    /// What is added then; learnt too.
    bias: f64,
}

impl Default for SiglipSettings {
    fn default() -> Self {
        Self {
            temperature: 10.0,
            bias: -10.0,
        }
    }
}

/// Both towers that learn.
pub(super) struct Siglip {
    /// The vision tower's published configuration.
    config: Value,
    vision: SiglipVision,
    vision_projection: Linear,
    text: ClipText,
    text_projection: Linear,
    logit_scale: Tensor,
    logit_bias: Tensor,
    tokens: Tokenizer,
    length: usize,
    processor: FixedProcessor,
    variables: Arc<Variables>,
    device: Device,
    seed: u64,
    batch: usize,
}

impl Siglip {
    /// # Errors
    /// Fails if the definition has a mistake or a checkpoint that it begins from is absent.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: SiglipSettings = setup.settings()?;
        let network: Network = setup.network()?;
        let (vision, text) = (&network.vision_config, &network.text_config);
        let variables = setup.own_variables()?;
        let weights = variables.weights();
        let width = text.hidden_size;
        let project = |name: &str, from| linear(&weights.at(name), from, width, false);
        let learner = Self {
            config: setup.network.to_json()["vision_config"].clone(),
            vision: SiglipVision::new(vision, &weights).map_err(TrainError::definition)?,
            vision_projection: project("vision_projection", vision.hidden_size)?,
            text: ClipText::new(text, &weights).map_err(TrainError::definition)?,
            text_projection: project("text_projection", width)?,
            logit_scale: weights.get("logit_scale", ())?,
            logit_bias: weights.get("logit_bias", ())?,
            tokens: Tokenizer::from_json(&vocabulary::tokenizer(Kind::Clip))?,
            length: text.max_position_embeddings,
            processor: FixedProcessor::siglip(vision.image_size as u32),
            variables,
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
        };
        let scalars = [
            ("logit_scale", settings.temperature.ln()),
            ("logit_bias", settings.bias),
        ];
        let vars = learner.variables.by_name();
        for (name, value) in scalars {
            if let Some(var) = vars.get(name) {
                var.set(&Tensor::new(value as f32, device)?)?;
            }
        }
        Ok(learner)
    }

    /// Patch tokens [B, N, D].
    fn patches(&self, pictures: &[RgbImage]) -> Result<Tensor, TrainError> {
        let pixels = encoder::pixels(pictures, &self.processor, &self.device)?;
        Ok(self.vision.forward(&pixels)?)
    }

    /// Vectors [B, E] of unit length: the mean of a picture's patch tokens, projected.
    fn pictures(&self, pictures: &[RgbImage]) -> Result<Tensor, TrainError> {
        let pooled = self.patches(pictures)?.mean(1)?;
        Ok(normalise(&self.vision_projection.forward(&pooled)?)?)
    }

    /// Vectors [B, E] of unit length: the state of a text's end token, projected.
    fn texts(&self, texts: &[String]) -> Result<Tensor, TrainError> {
        let rows = texts
            .iter()
            .map(|text| self.tokens.clip_ids(text, self.length));
        let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
        // What follows a text's end token changes nothing before it.
        let longest = rows.iter().map(|row| row.used).max().unwrap_or(0);
        let ids: Vec<u32> = rows
            .iter()
            .flat_map(|row| &row.ids[..longest])
            .copied()
            .collect();
        let ids = Tensor::from_vec(ids, (rows.len(), longest), &self.device)?;
        let pooled = self.text.forward(&ids)?.pooled;
        Ok(normalise(&self.text_projection.forward(&pooled)?)?)
    }

    /// A row of scores [B, B] for each picture, one for each text.
    fn scores(&self, pictures: &[RgbImage], texts: &[String]) -> Result<Tensor, TrainError> {
        let cosines = self.pictures(pictures)?.matmul(&self.texts(texts)?.t()?)?;
        let scaled = cosines.broadcast_mul(&self.logit_scale.exp()?)?;
        Ok(scaled.broadcast_add(&self.logit_bias)?)
    }
}

impl Learner for Siglip {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    /// The sum over all pairs of −log sigmoid(± score), over the number of pictures. Two pictures with the
    /// same description, such as two empty ones, both belong to it.
    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let batch = Batch::of_step(self.seed, step, self.batch);
        let texts: Vec<String> = batch.contents.iter().map(describe).collect();
        let scores = self.scores(&batch.pictures, &texts)?;
        let sign = |a: &String, b: &String| if a == b { -1f32 } else { 1f32 };
        let signs = texts
            .iter()
            .flat_map(|a| texts.iter().map(move |b| sign(a, b)));
        let signs = Tensor::from_iter(signs, &self.device)?.reshape(scores.shape())?;
        let each = softplus(&(scores * signs)?)?;
        let loss = (each.sum_all()? / texts.len().max(1) as f64)?;
        Ok(Loss::new(loss, &[]))
    }

    /// How many of some unseen pictures score highest with their own description, and what a linear probe
    /// reads from the patch tokens.
    fn check(&self) -> Result<Numbers, TrainError> {
        let batch = Batch::unseen(self.seed, CHECKED);
        let texts: Vec<String> = batch.contents.iter().map(describe).collect();
        let best: Vec<u32> = self
            .scores(&batch.pictures, &texts)?
            .argmax(D::Minus1)?
            .to_vec1()?;
        let found = best
            .iter()
            .zip(&texts)
            .filter(|(best, own)| texts.get(**best as usize) == Some(*own));
        let mut numbers = vec![(
            "retrieval".to_owned(),
            found.count() as f64 / CHECKED as f64,
        )];
        let scale: f32 = self.logit_scale.exp()?.to_scalar()?;
        let bias: f32 = self.logit_bias.to_scalar()?;
        numbers.push(("temperature".into(), f64::from(scale)));
        numbers.push(("bias".into(), f64::from(bias)));
        numbers.extend(probe(self.seed, |pictures| self.patches(pictures))?);
        Ok(numbers)
    }

    fn files(&self) -> &'static [&'static str] {
        &encoder::FILES
    }

    /// The vision tower as transformers' `SiglipVisionModel` without a pooling head.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        let mut config = self.config.clone();
        config["model_type"] = json!("siglip_vision_model");
        config["architectures"] = json!(["SiglipVisionModel"]);
        config["vision_use_head"] = json!(false);
        let own = encoder::beginning(&["vision_model."], weights);
        let processor = ("SiglipImageProcessor", &self.processor);
        encoder::publish(folder, &config, processor, &own)?;
        Ok(Numbers::new())
    }
}

/// log(1 + eˣ), which does not overflow.
fn softplus(x: &Tensor) -> candle_core::Result<Tensor> {
    x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}
