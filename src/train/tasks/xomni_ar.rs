//! Training of X-Omni's autoregressive model (arXiv 2507.22058, section 4) over the codes of a frozen
//! tokenizer: a trained language model between layers for image tokens learns to continue prompts with
//! pictures, and to answer about pictures.
//!
//! Pre-training mixes both; fine-tuning begins with its result. The loss counts the image tokens of a
//! picture, and the words of an answer. With `from.system` the checkpoint is a whole X-Omni.

mod language;
mod sequences;

use self::sequences::{LessonBatch, Maker, PictureBatch, Shares};
use super::description::TaskDescription;
use super::parts::write_json;
use super::whole::{self, Whole};
use crate::model::weights::Variables;
use crate::model::xomni::{XOmniAr, XOmniConfig};
use crate::train::answers::Tally;
use crate::train::blocks::Blocks;
use crate::train::codes::ImageTokenizer;
use crate::train::lessons::Subject;
use crate::train::samples::{self, CHECKS, TRAINING, Tasks, stream};
use crate::train::setup::Setup;
use crate::train::sources::files;
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::vocabulary::{self, CHAT_TEMPLATE, Kind};
use crate::train::{TrainError, state};
use crate::world::random::Random;
use candle_core::{D, Tensor};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `xomni-ar`.
pub(super) static XOMNI_AR: TaskDescription = TaskDescription {
    name: "xomni-ar",
    about: "X-Omni's autoregressive model over the codes of a frozen tokenizer, beginning as Qwen2.5-VL or as an \
            earlier stage.",
    roles: &["tokenizer", "vlm", "begin", "system"],
    open: |setup| Ok(Box::new(XOmniArTask::new(setup)?)),
};

const FILES: [&str; 5] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
];
/// How many batches of each kind a check has.
const CHECKED: u64 = 8;
/// The key of `config.json` that says which tokenizer's codes the model knows.
pub(super) const TOKENIZER: &str = "image_tokenizer_sha256";

/// `settings` of the task `xomni-ar`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct XOmniArSettings {
    /// How many different samples there are. They come again in the same order.
    samples: u64,
    /// The share of batches that are answers about pictures; the others are pictures.
    understanding: f64,
    /// The share of pictures whose prompt describes everything in them, with places. The others have
    /// captions.
    dense: f64,
    /// The share of batches of pictures whose prompts are empty, for guidance by the difference to an empty
    /// prompt.
    #[serde(default)]
    drop: f64,
    /// The share of signs among the captions.
    #[serde(default = "signs")]
    signs: f64,
    /// How often captions are of each of GenEval's tasks.
    #[serde(default)]
    tasks: Tasks,
}

fn signs() -> f64 {
    samples::SIGN
}

impl XOmniArSettings {
    /// What training draws.
    fn shares(&self) -> Shares<'_> {
        Shares {
            dense: self.dense,
            drop: self.drop,
            signs: self.signs,
            tasks: &self.tasks,
        }
    }

    /// The captions of training alone, as checks draw them.
    fn captions(&self) -> Shares<'_> {
        Shares {
            dense: 0.0,
            drop: 0.0,
            ..self.shares()
        }
    }
}

/// An autoregressive model that learns.
pub(super) struct XOmniArTask {
    settings: XOmniArSettings,
    /// The `config.json` of the checkpoint.
    config: Value,
    model: XOmniAr,
    maker: Maker,
    /// The X-Omni that the model is published in. `None` for the model alone.
    system: Option<Whole>,
    variables: Arc<Variables>,
    blocks: Blocks<Block>,
    seed: u64,
    batch: usize,
}

/// A batch.
enum Block {
    Pictures(PictureBatch),
    Lessons(LessonBatch),
}

impl XOmniArTask {
    /// # Errors
    /// Fails if the definition has a mistake, or a checkpoint that it begins from is absent or does not fit.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: XOmniArSettings = setup.settings()?;
        if !(0.0..=1.0).contains(&settings.drop) {
            let message = "`settings.drop` must be 0 to 1".into();
            return Err(TrainError::Definition { message });
        }
        let mut config = setup.network.to_json();
        let parsed: XOmniConfig =
            serde_json::from_value(config.clone()).map_err(TrainError::definition)?;
        let images = ImageTokenizer::open(&setup.sources.need("tokenizer")?, device)?;
        check(&parsed, &images)?;
        config[TOKENIZER] = json!(images.fingerprint()?);
        config["model_type"] = json!("x-omni");
        config["architectures"] = json!(["XOmniForCausalLM"]);
        config["tie_word_embeddings"] = json!(false);
        config["mm_special_tokens"] = json!(vocabulary::AROUND);
        let system = setup.sources.get("system")?.map(Whole::open).transpose()?;
        if let Some(system) = &system {
            system.check(&config, "this training")?;
        }
        let mut base = Vec::new();
        if let Some(begin) = setup.sources.get("begin")? {
            same_tokenizer(&begin, &config)?;
            base.push((String::new(), files(&begin)?));
        }
        if let Some(language) = setup.sources.get("vlm")? {
            let made = language::layers(&language, &parsed)?;
            base.push((String::new(), Arc::new(made)));
        }
        let variables = setup.variables(base);
        Ok(Self {
            model: XOmniAr::new(&parsed, &variables.weights())?,
            maker: Maker::new(images, device)?,
            system,
            blocks: Blocks::new(setup.batches(settings.samples)),
            settings,
            config,
            variables,
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    fn block(&self, number: u64) -> Result<Block, TrainError> {
        let mut random = Random::new(self.seed, stream(TRAINING, number));
        Ok(if random.chance(self.settings.understanding) {
            Block::Lessons(self.maker.lessons(self.batch, &mut random)?)
        } else {
            let shares = self.settings.shares();
            Block::Pictures(self.maker.drawn(self.batch, shares, &mut random)?)
        })
    }

    /// The mean over all image tokens of −log p.
    fn drawn(&self, drawn: &PictureBatch) -> Result<Tensor, TrainError> {
        let states = self.model.batch_states(&drawn.rows)?;
        let count = drawn.codes.dim(1)?;
        let before = states.narrow(1, drawn.prompt - 1, count)?.contiguous()?;
        let scores = self.model.image_logits(&before)?;
        let scores = candle_nn::ops::log_softmax(&scores, D::Minus1)?;
        let likely = scores.gather(&drawn.codes.unsqueeze(2)?, 2)?;
        Ok(likely.mean_all()?.neg()?)
    }

    /// Scores of the answers' tokens, [B, A, V].
    fn answer_scores(&self, said: &LessonBatch) -> Result<Tensor, TrainError> {
        let states = self.model.batch_states(&said.answers.rows)?;
        Ok(self.model.text_logits(&said.answers.states(&states)?)?)
    }
}

/// Checks that the sizes are those of the vocabulary and of the tokenizer.
fn check(config: &XOmniConfig, images: &ImageTokenizer) -> Result<(), TrainError> {
    config.check().map_err(TrainError::definition)?;
    let codes = images.encoder.codebook_size;
    let sizes = [
        (
            "vocab_size",
            config.vocab_size,
            vocabulary::size(Kind::Qwen),
        ),
        ("image_vocab_size", config.image_vocab_size, codes),
    ];
    for (key, is, wanted) in sizes {
        if is != wanted {
            return Err(TrainError::Definition {
                message: format!("`network.{key}` is {is}; it must be {wanted}"),
            });
        }
    }
    let least = codes + vocabulary::AROUND.len();
    if config.mm_vocab_size < least {
        return Err(TrainError::Definition {
            message: format!("`network.mm_vocab_size` must be at least {least}"),
        });
    }
    Ok(())
}

/// Checks that the tokenizer is the same, since the codes of another one mean something else.
fn same_tokenizer(begin: &Path, config: &Value) -> Result<(), TrainError> {
    let before: Value = crate::model::read_config(&begin.join(FILES[0]))?;
    if before[TOKENIZER] == config[TOKENIZER] {
        Ok(())
    } else {
        Err(TrainError::Definition {
            message: format!(
                "`from.begin`: {} was trained with another tokenizer than `from.tokenizer`",
                begin.display()
            ),
        })
    }
}

impl Learner for XOmniArTask {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let block = self.blocks.get(step, |number| self.block(number))?;
        let (name, loss) = match &*block {
            Block::Pictures(drawn) => ("image", self.drawn(drawn)?),
            Block::Lessons(said) => ("text", said.answers.loss(&self.answer_scores(said)?)?),
        };
        Ok(Loss::new(loss.clone(), &[(name, loss)]))
    }

    /// The share of answers that would be decoded right, word for word, and the mean −log p of an image token
    /// that follows those before it under GenEval's captions and signs.
    fn check(&self) -> Result<Numbers, TrainError> {
        let mut random = Random::new(self.seed, stream(CHECKS, 0));
        let mut tally = Tally::default();
        let captions = self.settings.captions();
        let mut loss = 0.0;
        for _ in 0..CHECKED {
            let said = self.maker.lessons(self.batch, &mut random)?;
            tally.add(
                &said.lessons,
                &said.answers.right(&self.answer_scores(&said)?)?,
            );
            let drawn = self.maker.drawn(self.batch, captions, &mut random)?;
            loss += f64::from(self.drawn(&drawn)?.to_scalar::<f32>()?);
        }
        let mut numbers = tally.shares(&Subject::OF_PICTURES);
        numbers.push(("image_loss".into(), loss / CHECKED as f64));
        Ok(numbers)
    }

    fn files(&self) -> &'static [&'static str] {
        match self.system {
            Some(_) => &whole::FILES,
            None => &FILES,
        }
    }

    /// The files of X-Omni's folder that belong to the autoregressive model, or all of X-Omni.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        if let Some(system) = &self.system {
            system.publish(folder, &weights)?;
            return Ok(Numbers::new());
        }
        let decoding = json!({"eos_token_id": [self.maker.end]});
        let words = json!({
            "tokenizer_class": "Qwen2Tokenizer",
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "chat_template": CHAT_TEMPLATE,
        });
        let jsons = [
            self.config.clone(),
            decoding,
            self.maker.vocabulary(),
            words,
        ];
        for (file, value) in FILES.iter().zip(&jsons) {
            write_json(&folder.join(file), value)?;
        }
        state::write_weights(&folder.join(FILES[4]), &weights)?;
        Ok(Numbers::new())
    }
}
