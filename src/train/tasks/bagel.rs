//! Training of BAGEL (arXiv 2505.14683) over a frozen autoencoder: one decoder with two sets of weights learns
//! to answer about pictures, to draw captions and to edit. It begins from nothing, or as the release does from
//! a language model and a vision tower.
//!
//! A batch is of one of the three kinds. Words learn by the likelihood of the next token, and latents by flow
//! matching. For guidance, the text or the pictures before a drawing are left out of some batches.

mod beginning;
mod maker;
mod settings;

use self::maker::{Drawing, Maker, Questions};
use self::settings::{BagelTaskSettings, Network};
use super::denoise::by_length;
use super::description::TaskDescription;
use super::parts::write_json;
use crate::model::bagel::{
    Bagel, BagelConfig, Branches, Context, Eye, Renorm, Sampler, SpecialTokens, pack_all,
    position_tables, unpack,
};
use crate::model::flow_match::FlowMatchConfig;
use crate::model::flux::latents;
use crate::model::noise::{Generator, randn};
use crate::model::weights::{Files, Variables};
use crate::train::answers::Tally;
use crate::train::autoencoder::Autoencoder;
use crate::train::blocks::Blocks;
use crate::train::flow::Noised;
use crate::train::lessons::Subject;
use crate::train::samples::{self, CHECKS, TRAINING, stream};
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::vocabulary::{self, Kind};
use crate::train::{TrainError, state};
use crate::world::caption::{Caption, Task};
use crate::world::edit::{self, Edit};
use crate::world::random::Random;
use crate::world::read;
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `bagel`.
pub(super) static BAGEL: TaskDescription = TaskDescription {
    name: "bagel",
    about: "BAGEL over a frozen autoencoder: answers, pictures and edits in one decoder.",
    roles: &["vae", "llm", "vit", "begin"],
    open: |setup| Ok(Box::new(BagelTask::new(setup)?)),
};

const FILES: [&str; 6] = [
    "llm_config.json",
    "vit_config.json",
    "tokenizer.json",
    "ema.safetensors",
    "ae.json",
    "ae.safetensors",
];

/// How many samples of each kind a check has, and how many points in time its pictures take.
const CHECKED: usize = 16;
const POINTS: usize = 13;
/// How many batches of questions a check has.
const QUESTIONS: u64 = 6;

/// BAGEL that learns.
pub(super) struct BagelTask {
    settings: BagelTaskSettings,
    scheduler: FlowMatchConfig,
    /// The two configurations of the checkpoint.
    config: [Value; 2],
    model: Bagel,
    eye: Eye,
    special: SpecialTokens,
    maker: Maker,
    variables: Arc<Variables>,
    blocks: Blocks<Block>,
    device: Device,
    seed: u64,
    batch: usize,
}

/// A batch.
enum Block {
    Drawing(Drawing),
    Questions(Questions),
}

impl BagelTask {
    /// # Errors
    /// Fails if the definition has a mistake, or a checkpoint that it begins from is absent.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: BagelTaskSettings = setup.settings()?;
        settings.check()?;
        let Network { scheduler, .. } = setup.network()?;
        let json = setup.network.to_json();
        let parsed: BagelConfig =
            serde_json::from_value(json.clone()).map_err(TrainError::definition)?;
        parsed.check().map_err(TrainError::definition)?;
        let vae = Autoencoder::open(&setup.sources.need("vae")?, device)?;
        check_sizes(&parsed, &vae)?;
        let tables = Files::made(
            Path::new("tables of positions"),
            position_tables(&parsed, device)?,
        );
        let mut base = beginning::beginnings(setup, &parsed, FILES[3])?;
        base.push((String::new(), Arc::new(tables)));
        let variables = setup.variables(base);
        let weights = variables.weights();
        let maker = Maker::new(vae, device)?;
        Ok(Self {
            model: Bagel::new(&parsed, &weights)?,
            eye: Eye::new(&parsed, &weights)?,
            special: SpecialTokens::of(&maker.tokens)?,
            config: [json["llm_config"].clone(), json["vit_config"].clone()],
            blocks: Blocks::new(setup.batches(settings.samples)),
            settings,
            scheduler,
            maker,
            variables,
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    fn block(&self, number: u64) -> Result<Block, TrainError> {
        let mut random = Random::new(self.seed, stream(TRAINING, number));
        let (settings, maker, batch) = (&self.settings, &self.maker, self.batch);
        let kind = random.below(1000) as f64 / 1000.0;
        if kind < settings.understanding {
            return Ok(Block::Questions(maker.questions(batch, &mut random)?));
        }
        let mut drawing = if kind < settings.understanding + settings.edits {
            maker.edits_drawn(&settings.region, batch, &mut random)?
        } else {
            maker.captions_drawn(settings.signs, &settings.tasks, batch, &mut random)?
        };
        if random.chance(settings.drop_text) {
            drawing.words = None;
        }
        if random.chance(settings.drop_images) {
            drawing.source = None;
        }
        Ok(Block::Drawing(drawing))
    }

    /// Pictures as the eyes see them, in a context.
    fn look(&self, pixels: &Tensor, context: &mut Context) -> Result<(), TrainError> {
        let grid = self.eye.grid(pixels)?;
        let features = self.eye.batch_features(pixels)?;
        let embeds = self.eye.embeds(&features, grid)?;
        self.model.read_pictures(&embeds, self.special, context)?;
        Ok(())
    }

    /// What is read before a drawing: the picture that is edited, as latents and by the eyes, and the words.
    fn context(&self, drawing: &Drawing, generator: &mut Generator) -> Result<Context, TrainError> {
        let mut context = Context::default();
        if let Some(source) = &drawing.source {
            let packed = self.packed(&self.maker.vae.draw(&source.moments, generator)?)?;
            let grid = self.maker.grid();
            self.model
                .read_packed(&packed, grid, self.special, &mut context)?;
            self.look(&source.pixels, &mut context)?;
        }
        if let Some(words) = &drawing.words {
            self.model.read_texts(words, self.special, &mut context)?;
        }
        Ok(context)
    }

    /// Latents in FLUX's order within a token in BAGEL's.
    fn packed(&self, tokens: &Tensor) -> Result<Tensor, TrainError> {
        let grid = self.maker.grid();
        Ok(pack_all(&latents::unpack(tokens, grid.h, grid.w)?)?)
    }

    fn drawing_loss(&self, drawing: &Drawing, step: u64) -> Result<Tensor, TrainError> {
        let mut generator = Generator::new(samples::noise(self.seed, step));
        let Some(target) = &drawing.target else {
            return Err(TrainError::Definition {
                message: "there are no pictures to learn from".into(),
            });
        };
        let target = self.packed(&self.maker.vae.draw(target, &mut generator)?)?;
        let context = self.context(drawing, &mut generator)?;
        let noised = Noised::new(&target, &self.scheduler, &mut generator)?;
        let times: Vec<f32> = noised.sigma.to_vec1()?;
        let times: Vec<f64> = times.into_iter().map(f64::from).collect();
        let grid = self.maker.grid();
        let branch = self.model.branch(&[&context], grid)?;
        let states = self
            .model
            .noise_states(&noised.noisy, grid, &times, self.special, &branch)?;
        noised.loss(&self.model.velocity(&states)?, drawing.weights.as_ref())
    }

    /// Scores of the answers' tokens, [B, A, V].
    fn answer_scores(&self, asked: &Questions) -> Result<Tensor, TrainError> {
        let mut context = Context::default();
        self.look(&asked.pixels, &mut context)?;
        self.model
            .read_texts(&asked.words, self.special, &mut context)?;
        let states = self.model.read_open(&asked.answers.rows, &mut context)?;
        Ok(self.model.all_logits(&asked.answers.states(&states)?)?)
    }

    /// Pictures after a drawing's context, without guidance.
    fn pictures(&self, drawing: &Drawing, seed: u64) -> Result<Vec<RgbImage>, TrainError> {
        let (grid, width) = (self.maker.grid(), self.maker.vae.width());
        let mut generator = Generator::new(seed);
        let context = self.context(drawing, &mut generator)?;
        let shape = (drawing.count, grid.count(), width);
        let noise = randn(&mut generator, shape.0 * shape.1 * shape.2, DType::F32);
        let noise = Tensor::from_vec(noise, shape, &self.device)?;
        let sampler = Sampler {
            num_timesteps: POINTS,
            timestep_shift: self.scheduler.factor(grid.count())?,
            cfg_text_scale: 1.0,
            cfg_img_scale: 1.0,
            cfg_interval: [0.0, 1.0],
            cfg_renorm_type: Renorm::Global,
            cfg_renorm_min: 0.0,
        };
        let branch = || self.model.branch(&[&context], grid);
        let branches = Branches {
            full: branch()?,
            without_text: branch()?,
            without_image: None,
        };
        let made = sampler.draw(
            &self.model,
            (&noise, grid),
            self.special,
            &branches,
            &mut |_| true,
        )?;
        let tokens = latents::pack(&unpack(&made, grid)?)?;
        self.maker.vae.pictures(&tokens, grid.h)
    }

    /// How many captions of each of GenEval's tasks the pictures show.
    fn check_captions(&self, numbers: &mut Numbers) -> Result<(), TrainError> {
        let mut random = Random::new(self.seed, stream(CHECKS, 0));
        let mut sum = 0.0;
        for task in Task::ALL {
            let all = Caption::all_of(task);
            let captions: Vec<Caption> = (0..CHECKED).map(|_| random.pick(&all)).collect();
            let mut right = 0;
            for (length, captions) in by_length(captions, |caption| caption.words()) {
                let words: Vec<String> = captions.iter().map(|caption| caption.words()).collect();
                let drawing = self.maker.asked(&words)?;
                let made = self.pictures(&drawing, self.seed + length as u64)?;
                let pairs = captions.iter().zip(&made);
                right += pairs
                    .filter(|(caption, picture)| caption.shown(&read::things(picture)))
                    .count();
            }
            let share = right as f64 / CHECKED as f64;
            sum += share;
            numbers.push((task.tag().into(), share));
        }
        numbers.push(("overall".into(), sum / Task::ALL.len() as f64));
        Ok(())
    }

    /// How many edits of each kind change what they should, and how many keep what they should.
    fn check_edits(&self, numbers: &mut Numbers) -> Result<(), TrainError> {
        let mut random = Random::new(self.seed, stream(CHECKS, 1));
        for kind in edit::Kind::ALL {
            let (mut follow, mut preserve) = (0, 0);
            let edits: Vec<Edit> = (0..CHECKED)
                .map(|_| Edit::sampled(kind, &mut random))
                .collect();
            for (length, edits) in by_length(&edits, |edit| &edit.instruction) {
                let drawing = self.maker.edited(&edits)?;
                let made = self.pictures(&drawing, self.seed + length as u64)?;
                for (edit, picture) in edits.iter().zip(&made) {
                    let found = read::things(picture);
                    follow += usize::from(edit.followed(&found));
                    preserve += usize::from(edit.preserved(&found));
                }
            }
            let share = |count: usize| count as f64 / CHECKED as f64;
            numbers.push((format!("{}_follow", kind.name()), share(follow)));
            numbers.push((format!("{}_preserve", kind.name()), share(preserve)));
        }
        Ok(())
    }
}

/// Checks that the sizes are those of the vocabulary, of the autoencoder and of the world's pictures.
fn check_sizes(config: &BagelConfig, vae: &Autoencoder) -> Result<(), TrainError> {
    let sizes = [
        (
            "llm_config.vocab_size",
            config.llm.vocab_size,
            vocabulary::size(Kind::Qwen),
        ),
        (
            "latents.token_width",
            config.latents.token_width,
            vae.width(),
        ),
        (
            "vit_config.image_size",
            config.vit.image_size,
            crate::world::SIDE as usize,
        ),
    ];
    for (key, is, wanted) in sizes {
        if is != wanted {
            return Err(TrainError::Definition {
                message: format!("`network.{key}` is {is}; it must be {wanted}"),
            });
        }
    }
    Ok(())
}

impl Learner for BagelTask {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let block = self.blocks.get(step, |number| self.block(number))?;
        let (name, loss) = match &*block {
            Block::Questions(asked) => ("text", asked.answers.loss(&self.answer_scores(asked)?)?),
            Block::Drawing(drawing) => ("image", self.drawing_loss(drawing, step)?),
        };
        let weight = match &*block {
            Block::Questions(_) => self.settings.text_weight,
            Block::Drawing(_) => 1.0,
        };
        Ok(Loss::new((&loss * weight)?, &[(name, loss)]))
    }

    /// The share of answers that would be decoded right, word for word; of captions that pictures show; and of
    /// edits that are followed and that keep the rest.
    fn check(&self) -> Result<Numbers, TrainError> {
        let mut random = Random::new(self.seed, stream(CHECKS, 2));
        let mut tally = Tally::default();
        for _ in 0..QUESTIONS {
            let asked = self.maker.questions(self.batch, &mut random)?;
            let right = asked.answers.right(&self.answer_scores(&asked)?)?;
            tally.add(&asked.lessons, &right);
        }
        let mut numbers = tally.shares(&Subject::OF_PICTURES);
        self.check_captions(&mut numbers)?;
        self.check_edits(&mut numbers)?;
        Ok(numbers)
    }

    fn files(&self) -> &'static [&'static str] {
        &FILES
    }

    /// The folder of BAGEL as it is published. The autoencoder is that of the miniature world, so its
    /// configuration lies beside it.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        let [llm, vit] = self.config.clone();
        let tokenizer = vocabulary::tokenizer(Kind::Qwen);
        for (file, value) in FILES.iter().zip([llm, vit, tokenizer]) {
            write_json(&folder.join(file), &value)?;
        }
        state::write_weights(&folder.join(FILES[3]), &weights)?;
        let vae = self.maker.vae.folder();
        let from = ["config.json", "diffusion_pytorch_model.safetensors"];
        for (from, to) in from.iter().zip(&FILES[4..]) {
            let path = vae.join(from);
            let bytes = std::fs::read(&path).map_err(|error| TrainError::io(&path, error))?;
            state::replace(&folder.join(to), &bytes)?;
        }
        Ok(Numbers::new())
    }
}
