//! Training of X-Omni's tokenizer (arXiv 2507.22058, section 3.1) as LLaVA trains a connector: SigLIP's
//! features become codes, and a language model answers questions about the picture from what is decoded of
//! them. No pixel is rebuilt.
//!
//! The vision transformer begins as a trained SigLIP, without its final norm and with the exact GELU, and
//! stays as it is. A linear projector makes the language model's image tokens. It is not published.

mod codebook;
mod tower;

use super::description::TaskDescription;
use super::parts::{strip, write_json};
use crate::model::nn::{Linear, linear};
use crate::model::noise::Generator;
use crate::model::qwen2_5_vl::{Qwen2_5Vl, Qwen2_5VlConfig};
use crate::model::read_config;
use crate::model::tokenizer::Tokenizer;
use crate::model::tokenizer::chat::{Form, Item, Role, Turn, encode};
use crate::model::weights::Variables;
use crate::model::xomni::{EncoderConfig, Ibq, IbqLoss, Vit, VqDecoder, VqEncoder};
use crate::train::answers::{Answers, Tally};
use crate::train::blocks::Blocks;
use crate::train::lessons::{Lesson, Subject};
use crate::train::samples::{self, CHECKS, TRAINING, stream};
use crate::train::setup::Setup;
use crate::train::sources::files;
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::{TrainError, state};
use crate::world::SIDE;
use crate::world::random::Random;
use candle_core::{Device, Module, Tensor};
use image::RgbImage;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `siglip-vq`.
pub(super) static SIGLIP_VQ: TaskDescription = TaskDescription {
    name: "siglip-vq",
    about: "X-Omni's tokenizer over a frozen SigLIP: codes of which a frozen Qwen2.5-VL answers questions.",
    roles: &["siglip", "vlm"],
    open: |setup| Ok(Box::new(SiglipVq::new(setup)?)),
};

const FILES: [&str; 3] = ["config.json", tower::FILE, "vq.safetensors"];
/// How many batches a check has.
const CHECKED: u64 = 12;
/// From how many pictures the codebook takes its first features.
const FIRST: usize = 256;
/// The prefix of the quantizer's parameters.
const QUANTIZER: &str = "vq";

/// `network` of the task `siglip-vq`; everything else follows from the vision transformer.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    codebook_size: usize,
    codebook_dim: usize,
}

/// `settings` of the task `siglip-vq`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiglipVqSettings {
    /// How many different samples there are. They come again in the same order.
    samples: u64,
    /// What distances to codes are divided by before they become shares.
    #[serde(default = "temperature")]
    temperature: f64,
    /// Weight of the part of the loss that moves codes to features.
    #[serde(default = "commitment")]
    commitment: f64,
    /// How often a sample is not quantized.
    #[serde(default = "skip_quant_prob")]
    skip_quant_prob: f64,
}

fn temperature() -> f64 {
    2.0
}

fn commitment() -> f64 {
    0.25
}

fn skip_quant_prob() -> f64 {
    0.1
}

/// A tokenizer that learns.
pub(super) struct SiglipVq {
    settings: SiglipVqSettings,
    json: Value,
    encoder: EncoderConfig,
    vit: Vit,
    /// The vision transformer's tensors as they are published.
    tower: BTreeMap<String, Tensor>,
    ibq: Ibq,
    decoder: VqDecoder,
    projector: Linear,
    vlm: Qwen2_5Vl,
    tokens: Tokenizer,
    /// The token that ends an answer.
    end: u32,
    /// How many codes a picture's side has, and the patches of a picture for the language model.
    side: usize,
    grid: [usize; 3],
    variables: Arc<Variables>,
    blocks: Blocks<Block>,
    device: Device,
    seed: u64,
    batch: usize,
}

/// Lessons about pictures whose prompts have one form.
struct Block {
    answers: Answers,
    /// [B, N, Z]
    features: Tensor,
    lessons: Vec<Lesson>,
}

impl SiglipVq {
    /// # Errors
    /// Fails if the definition has a mistake, or a checkpoint that it begins from is absent or does not fit
    /// the other.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: SiglipVqSettings = setup.settings()?;
        let network: Network = setup.network()?;
        let (siglip, language) = (setup.sources.need("siglip")?, setup.sources.need("vlm")?);
        let mut json = tower::config(&siglip)?;
        json["encoder"]["projector_path"] = json!(FILES[2]);
        json["encoder"]["codebook_size"] = json!(network.codebook_size);
        json["encoder"]["codebook_dim"] = json!(network.codebook_dim);
        let encoder = serde_json::from_value(json["encoder"].clone());
        let encoder: EncoderConfig = encoder.map_err(TrainError::definition)?;
        let (vit, tower) = tower::open(&siglip, &encoder, device)?;
        let config: Qwen2_5VlConfig = read_config(&language.join("config.json"))?;
        let side = SIDE as usize / encoder.vit()?.patch_size;
        let grid = patches(&config, side)?;
        let variables = setup.variables(vec![("vlm".into(), files(&language)?)]);
        let weights = variables.weights();
        let own = weights.at(QUANTIZER);
        let ibq = Ibq::new(&encoder, &own).map_err(TrainError::definition)?;
        let decoder = VqDecoder::new(&encoder, &own).map_err(TrainError::definition)?;
        let width = config.text.hidden_size;
        let tokens = Tokenizer::open(&language)?;
        let learner = Self {
            projector: linear(&weights.at("projector"), encoder.z_channels, width, true)?,
            vlm: Qwen2_5Vl::new(&config, &weights.at("vlm"))?,
            end: tokens.token("<|im_end|>")?,
            blocks: Blocks::new(setup.batches(settings.samples)),
            settings,
            json,
            encoder,
            vit,
            tower,
            ibq,
            decoder,
            tokens,
            side,
            grid,
            variables,
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
        };
        learner.fill_codebook()?;
        Ok(learner)
    }

    /// Fills the codebook with directions that represent those of pictures.
    fn fill_codebook(&self) -> Result<(), TrainError> {
        let vars = self.variables.by_name();
        let name = format!("{QUANTIZER}.quantize.embedding.weight");
        if let Some(var) = vars.get(&name) {
            let mut random = Random::new(self.seed, stream(TRAINING, u64::from(u32::MAX)));
            let pictures: Vec<RgbImage> =
                (0..FIRST).map(|_| samples::picture(&mut random)).collect();
            let directions = self.ibq.directions(&self.features(&pictures)?)?.detach();
            let mut generator = Generator::new(self.seed);
            let codes = self.encoder.codebook_size;
            var.set(&codebook::centres(&directions, codes, &mut generator)?)?;
        }
        Ok(())
    }

    /// The frozen vision transformer's features [B, N, Z].
    fn features(&self, pictures: &[RgbImage]) -> Result<Tensor, TrainError> {
        let pixels = samples::batch(pictures, &self.device)?;
        Ok(self.vit.forward(&pixels)?.0.detach())
    }

    fn block(&self, kind: u64, number: u64) -> Result<Block, TrainError> {
        let mut random = Random::new(self.seed, stream(kind, number));
        let (lessons, answers) = Lesson::of_pictures(self.batch, &self.tokens, &mut random)?;
        let prompts = lessons.iter().map(|lesson| {
            let words = Item::Text(lesson.words.clone());
            let turn = Turn {
                role: Role::User,
                items: vec![words, Item::Image(self.side * self.side)],
            };
            encode(&self.tokens, &[turn], Form::UniWorld)
        });
        let prompts: Vec<Vec<u32>> = prompts.collect::<Result<_, _>>()?;
        let pictures: Vec<RgbImage> = lessons.iter().filter_map(Lesson::picture).collect();
        Ok(Block {
            answers: Answers::new(&prompts, answers, self.end, &self.device)?,
            features: self.features(&pictures)?,
            lessons,
        })
    }

    /// Scores of the answers' tokens [B, A, V], predicted from the decoded features of their pictures [B, N,
    /// Z].
    fn scores(&self, answers: &Answers, decoded: &Tensor) -> Result<Tensor, TrainError> {
        let images = self.projector.forward(decoded)?.flatten(0, 1)?;
        let states = self
            .vlm
            .batch_states(&answers.rows, Some(&images), &[self.grid])?;
        Ok(self.vlm.all_logits(&answers.states(&states)?)?)
    }
}

/// The patches of a picture: merged, they are as many as the tokenizer's codes.
fn patches(config: &Qwen2_5VlConfig, side: usize) -> Result<[usize; 3], TrainError> {
    let vision = &config.vision;
    let across = SIDE as usize / vision.patch_size;
    if across == side * vision.spatial_merge_size {
        Ok([1, across, across])
    } else {
        Err(TrainError::Definition {
            message: format!(
                "`from.vlm` has {0} × {0} tokens for a picture, but `from.siglip` has {side} × {side}",
                across / vision.spatial_merge_size
            ),
        })
    }
}

impl Learner for SiglipVq {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let block = self
            .blocks
            .get(step, |number| self.block(TRAINING, number))?;
        let mut generator = Generator::new(samples::noise(self.seed, step));
        let skip = |_: &Lesson| generator.uniform() < self.settings.skip_quant_prob;
        let skipped: Vec<bool> = block.lessons.iter().map(skip).collect();
        let how = IbqLoss {
            temperature: self.settings.temperature,
            commitment: self.settings.commitment,
        };
        let quantized = self.ibq.forward(&block.features, &skipped, how)?;
        let decoded = self
            .decoder
            .features(&quantized.rows, (self.side, self.side))?;
        let text = block
            .answers
            .loss(&self.scores(&block.answers, &decoded)?)?;
        let total = (&text + &quantized.loss)?;
        let parts = [("text", text), ("codes", quantized.loss)];
        Ok(Loss::new(total, &parts))
    }

    /// The share of answers that would be decoded right from codes, word for word; how many codes the
    /// pictures use; and the perplexity of the codes.
    fn check(&self) -> Result<Numbers, TrainError> {
        let encoder = VqEncoder::new(&self.encoder, &self.variables.weights().at(QUANTIZER))?;
        let mut tally = Tally::default();
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for number in 0..CHECKED {
            let block = self.block(CHECKS, number)?;
            let codes: Vec<Vec<u32>> = encoder.encode(&block.features)?.to_vec2()?;
            for code in codes.iter().flatten() {
                *counts.entry(*code).or_default() += 1;
            }
            let grids: Vec<&[u32]> = codes.iter().map(Vec::as_slice).collect();
            let decoded = self.decoder.decode_all(&grids, (self.side, self.side))?;
            let scores = self.scores(&block.answers, &decoded)?;
            tally.add(&block.lessons, &block.answers.right(&scores)?);
        }
        let all = counts.values().sum::<usize>() as f64;
        let entropy = counts.values().map(|&count| {
            let share = count as f64 / all;
            -share * share.ln()
        });
        let mut numbers = tally.shares(&Subject::OF_PICTURES);
        numbers.push(("codes".into(), counts.len() as f64));
        numbers.push(("perplexity".into(), entropy.sum::<f64>().exp()));
        Ok(numbers)
    }

    fn files(&self) -> &'static [&'static str] {
        &FILES
    }

    /// The two files of the tokenizer with their published names of tensors, and what `vision_config` says
    /// about them.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        write_json(&folder.join(FILES[0]), &self.json)?;
        state::write_weights(&folder.join(FILES[1]), &self.tower)?;
        state::write_weights(&folder.join(FILES[2]), &strip(&weights, QUANTIZER))?;
        Ok(Numbers::new())
    }
}
