//! Training of Qwen2.5-VL from nothing: the next token of answers about captions and pictures, vision tower and language
//! model together. The result is the frozen language model of UniWorld-V1 in miniature.

use super::parts::write_json;
use crate::config::TrainingFile;
use crate::model::conversation::{Conversation, Reader};
use crate::model::processor::QwenProcessor;
use crate::model::qwen2_5_vl::{Config, Qwen2_5Vl};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Variables;
use crate::train::blocks::Blocks;
use crate::train::lessons::{Lesson, Subject};
use crate::train::prompt;
use crate::train::samples::{CHECKS, TRAINING, stream};
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::vocabulary::{self, Kind};
use crate::train::world::random::Random;
use crate::train::{TrainError, state};
use candle_core::{D, Device, Tensor};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const FILES: [&str; 5] = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "model.safetensors",
];
/// Batches of a check.
const CHECKED: u64 = 12;

/// `settings` of the task `qwen-vl`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QwenVlSettings {
    /// Different samples; they come again in the same order.
    samples: u64,
    /// `preprocessor_config.json`.
    processor: QwenProcessor,
}

/// Qwen2.5-VL that learns.
pub struct QwenVl {
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
    /// Prompt and answer, the end of the turn up to one length.
    rows: Vec<Vec<u32>>,
    pixel_values: Option<Tensor>,
    grids: Vec<[usize; 3]>,
    /// Tokens of the prompts.
    prompt: usize,
    /// What follows each position from the last of the prompt, [B, A], and whether it counts.
    targets: Tensor,
    counted: Tensor,
    lessons: Vec<Lesson>,
}

impl QwenVl {
    /// # Errors
    /// When the definition has a mistake.
    pub fn new(training: &TrainingFile, device: &Device) -> Result<Self, TrainError> {
        let settings: QwenVlSettings = training.settings.read().map_err(TrainError::definition)?;
        let config = training.network.to_json();
        let parsed: Config =
            serde_json::from_value(config.clone()).map_err(TrainError::definition)?;
        let variables = Variables::over(
            training.seed,
            device.clone(),
            Vec::new(),
            training.trainable.clone(),
        );
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
            reader: Reader::of(tokenizer, settings.processor)?,
            processor: training.settings.to_json()["processor"].clone(),
            config,
            variables,
            blocks: Blocks::new(settings.samples / training.batch.max(1) as u64),
            device: device.clone(),
            seed: training.seed,
            batch: training.batch,
        })
    }

    fn read(&self, lesson: &Lesson) -> Result<Conversation, TrainError> {
        let picture = lesson.picture();
        prompt::read(&self.reader, &lesson.words, picture.as_ref(), &self.device)
    }

    /// A batch of lessons: the first sets the form.
    fn block(&self, kind: u64, number: u64) -> Result<Block, TrainError> {
        let mut random = Random::new(self.seed, stream(kind, number));
        let first = Lesson::sampled(&mut random);
        let form = |lesson: &Lesson| -> Result<(usize, bool), TrainError> {
            let words = self.reader.tokenizer.encode(&lesson.words)?;
            Ok((words.len(), lesson.shown.is_some()))
        };
        let wanted = form(&first)?;
        let mut lessons = vec![first];
        while lessons.len() < self.batch {
            let next = Lesson::sampled(&mut random);
            if form(&next)? == wanted {
                lessons.push(next);
            }
        }
        let mut read = Vec::with_capacity(lessons.len());
        let mut answers = Vec::with_capacity(lessons.len());
        for lesson in &lessons {
            read.push(self.read(lesson)?);
            let mut answer = self.reader.tokenizer.encode(&lesson.answer)?;
            answer.push(self.end);
            answers.push(answer);
        }
        let longest = answers.iter().map(Vec::len).max().unwrap_or(1);
        let prompt = read.first().map_or(0, |read| read.ids.len());
        let counted = answers.iter().flat_map(|answer| {
            (0..longest).map(|place| if place < answer.len() { 1f32 } else { 0.0 })
        });
        let shape = (lessons.len(), longest);
        let counted =
            Tensor::from_iter(counted.collect::<Vec<_>>(), &self.device)?.reshape(shape)?;
        let targets = answers.iter().flat_map(|answer| {
            (0..longest).map(|place| answer.get(place).copied().unwrap_or(self.end))
        });
        let targets =
            Tensor::from_iter(targets.collect::<Vec<_>>(), &self.device)?.reshape(shape)?;
        let rows = read.iter().zip(&answers).map(|(read, answer)| {
            let mut row = [&read.ids[..], &answer[..answer.len() - 1]].concat();
            row.resize(prompt + longest - 1, self.end);
            row
        });
        let patches: Vec<Tensor> = read
            .iter()
            .filter_map(|read| read.pixel_values.clone())
            .collect();
        Ok(Block {
            rows: rows.collect(),
            pixel_values: match patches.is_empty() {
                true => None,
                false => Some(Tensor::cat(&patches, 0)?),
            },
            grids: read
                .first()
                .map(|read| read.grids.clone())
                .unwrap_or_default(),
            prompt,
            targets,
            counted,
            lessons,
        })
    }

    /// Scores of the answers' tokens, [B, A, V].
    fn scores(&self, block: &Block) -> Result<Tensor, TrainError> {
        let grids: Vec<[usize; 3]> = block
            .rows
            .iter()
            .flat_map(|_| block.grids.clone())
            .collect();
        let images = block.pixel_values.as_ref();
        let images = images.map(|pixels| self.model.image_embeds(pixels, &grids));
        let states =
            self.model
                .batch_states(&block.rows, images.transpose()?.as_ref(), &block.grids)?;
        let answers = states.narrow(1, block.prompt - 1, block.targets.dim(1)?)?;
        Ok(self.model.all_logits(&answers.contiguous()?)?)
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
        let scores = candle_nn::ops::log_softmax(&self.scores(&block)?, D::Minus1)?;
        let likely = scores.gather(&block.targets.unsqueeze(2)?, 2)?.squeeze(2)?;
        let counted = block.counted.sum_all()?;
        let loss = ((likely * &block.counted)?.sum_all()?.neg()? / counted)?;
        Ok(Loss::new(loss, &[]))
    }

    /// The share of answers of each kind that would be decoded right, word for word.
    fn check(&self) -> Result<Numbers, TrainError> {
        let mut counts: BTreeMap<Subject, [usize; 2]> = BTreeMap::new();
        for number in 0..CHECKED {
            let block = self.block(CHECKS, number)?;
            let wrong = self.scores(&block)?.argmax(D::Minus1)?.ne(&block.targets)?;
            let wrong = (wrong.to_dtype(block.counted.dtype())? * &block.counted)?.sum(1)?;
            let wrong: Vec<f32> = wrong.to_vec1()?;
            for (lesson, wrong) in block.lessons.iter().zip(wrong) {
                if lesson.certain {
                    let count = counts.entry(lesson.subject).or_default();
                    count[0] += usize::from(wrong == 0.0);
                    count[1] += 1;
                }
            }
        }
        let share = |subject: Subject| {
            let [right, all] = counts.get(&subject).copied().unwrap_or_default();
            (subject.name().into(), right as f64 / all.max(1) as f64)
        };
        Ok(Subject::ALL.map(share).to_vec())
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
