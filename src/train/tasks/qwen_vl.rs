//! Training of Qwen2.5-VL from nothing. The vision tower and the language model together learn the next token
//! of answers about captions and pictures. The result is the frozen language model of UniWorld-V1 in
//! miniature.

use super::description::TaskDescription;
use super::parts::write_json;
use crate::model::conversation::{Conversation, Reader};
use crate::model::processor::QwenProcessor;
use crate::model::qwen2_5_vl::{Qwen2_5Vl, Qwen2_5VlConfig};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Variables;
use crate::train::answers::{Answers, Tally};
use crate::train::blocks::Blocks;
use crate::train::lessons::{Lesson, Subject};
use crate::train::prompt;
use crate::train::samples::{self, CHECKS, TRAINING, stream};
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::vocabulary::{self, Kind};
use crate::train::{TrainError, state};
use crate::world::random::Random;
use candle_core::{Device, Tensor};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `qwen-vl`.
pub(super) static QWEN_VL: TaskDescription = TaskDescription {
    name: "qwen-vl",
    about: "Qwen2.5-VL on captions of the miniature world, descriptions of its pictures and questions about them.",
    roles: &[],
    open: |setup| Ok(Box::new(QwenVl::new(setup)?)),
};

const FILES: [&str; 5] = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "model.safetensors",
];
/// How many batches a check has.
const CHECKED: u64 = 12;

/// `settings` of the task `qwen-vl`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QwenVlSettings {
    /// How many different samples there are. They come again in the same order.
    samples: u64,
    /// `preprocessor_config.json`.
    processor: QwenProcessor,
}

/// Qwen2.5-VL that learns.
pub(super) struct QwenVl {
    config: Value,
    processor: Value,
    model: Qwen2_5Vl,
    reader: Reader,
    variables: Arc<Variables>,
    blocks: Blocks<Block>,
    device: Device,
    seed: u64,
    batch: usize,
    /// The token that ends an answer.
    end: u32,
}

/// Lessons whose prompts have one form.
struct Block {
    answers: Answers,
    pixel_values: Option<Tensor>,
    /// Of one row.
    grids: Vec<[usize; 3]>,
    lessons: Vec<Lesson>,
}

impl QwenVl {
    /// # Errors
    /// Fails if the definition has a mistake.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: QwenVlSettings = setup.settings()?;
        let config = setup.network.to_json();
        let parsed: Qwen2_5VlConfig =
            serde_json::from_value(config.clone()).map_err(TrainError::definition)?;
        let variables = setup.variables(Vec::new());
        let tokenizer = Tokenizer::from_json(&vocabulary::tokenizer(Kind::Qwen))?;
        let known = vocabulary::size(Kind::Qwen);
        if parsed.text.vocab_size != known {
            return Err(TrainError::Definition {
                message: format!(
                    "`network.vocab_size` must be {known}, the size of the vocabulary"
                ),
            });
        }
        Ok(Self {
            model: Qwen2_5Vl::new(&parsed, &variables.weights())?,
            end: tokenizer.token("<|im_end|>")?,
            reader: Reader::from_parts(tokenizer, settings.processor)?,
            processor: setup.settings.to_json()["processor"].clone(),
            config,
            variables,
            blocks: Blocks::new(setup.batches(settings.samples)),
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    fn read(&self, lesson: &Lesson) -> Result<Conversation, TrainError> {
        let picture = lesson.picture();
        prompt::read(&self.reader, &lesson.words, picture.as_ref(), &self.device)
    }

    /// A batch of lessons of one form, which the first lesson sets.
    fn block(&self, kind: u64, number: u64) -> Result<Block, TrainError> {
        let mut random = Random::new(self.seed, stream(kind, number));
        let tokens = &self.reader.tokenizer;
        let lessons = samples::alike(self.batch, || {
            let lesson = Lesson::sampled(&mut random);
            let words = tokens.encode(&lesson.words)?;
            Ok(((words.len(), lesson.shown.is_some()), lesson))
        })?;
        let read = lessons.iter().map(|lesson| self.read(lesson));
        let read: Vec<Conversation> = read.collect::<Result<_, _>>()?;
        let answers = lessons.iter().map(|lesson| tokens.encode(&lesson.answer));
        let answers = answers.collect::<Result<_, _>>()?;
        let patches: Vec<Tensor> = read
            .iter()
            .filter_map(|read| read.pixel_values.clone())
            .collect();
        let grids = read.first().map(|read| read.grids.clone());
        let prompts: Vec<Vec<u32>> = read.into_iter().map(|read| read.ids).collect();
        Ok(Block {
            answers: Answers::new(&prompts, answers, self.end, &self.device)?,
            pixel_values: if patches.is_empty() {
                None
            } else {
                Some(Tensor::cat(&patches, 0)?)
            },
            grids: grids.unwrap_or_default(),
            lessons,
        })
    }

    /// Scores of the answers' tokens, [B, A, V].
    fn scores(&self, block: &Block) -> Result<Tensor, TrainError> {
        let rows = &block.answers.rows;
        let grids: Vec<[usize; 3]> = rows.iter().flat_map(|_| block.grids.clone()).collect();
        let images = block.pixel_values.as_ref();
        let images = images.map(|pixels| self.model.image_embeds(pixels, &grids));
        let images = images.transpose()?;
        let states = self
            .model
            .batch_states(rows, images.as_ref(), &block.grids)?;
        Ok(self.model.all_logits(&block.answers.states(&states)?)?)
    }
}

impl Learner for QwenVl {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let block = self
            .blocks
            .get(step, |number| self.block(TRAINING, number))?;
        let loss = block.answers.loss(&self.scores(&block)?)?;
        Ok(Loss::new(loss, &[]))
    }

    /// The share of answers of each kind that would be decoded right, word for word.
    fn check(&self) -> Result<Numbers, TrainError> {
        let mut tally = Tally::default();
        for number in 0..CHECKED {
            let block = self.block(CHECKS, number)?;
            tally.add(&block.lessons, &block.answers.right(&self.scores(&block)?)?);
        }
        Ok(tally.shares(&Subject::ALL))
    }

    fn files(&self) -> &'static [&'static str] {
        &FILES
    }

    /// The folder of Qwen2.5-VL, as transformers writes it.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        let mut config = self.config.clone();
        config["model_type"] = json!("qwen2_5_vl");
        config["architectures"] = json!(["Qwen2_5_VLForConditionalGeneration"]);
        let decoding = json!({"do_sample": false, "eos_token_id": [self.end]});
        let tokenizer = vocabulary::tokenizer(Kind::Qwen);
        let jsons = [config, decoding, self.processor.clone(), tokenizer];
        for (file, value) in FILES.iter().zip(&jsons) {
            write_json(&folder.join(file), value)?;
        }
        state::write_weights(&folder.join(FILES[4]), &weights)?;
        Ok(Numbers::new())
    }
}
