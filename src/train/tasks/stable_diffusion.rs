//! Training of a network in Stable Diffusion 1.5's form from nothing: the UNet, which sees the prompt by
//! cross-attention, and its CLIP text encoder learn together, over a frozen autoencoder.

use super::denoise::{CaptionedBatch, STEPS, check_captions};
use super::description::TaskDescription;
use super::parts::{copy, strip, write_json};
use crate::model::clip::{ClipText, ClipTextConfig};
use crate::model::flux_vae::VaeConfig;
use crate::model::noise::{Generator, randn};
use crate::model::read_config;
use crate::model::schedulers::SchedulerConfig;
use crate::model::stable_diffusion::{UNet, UNetConfig};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Variables;
use crate::train::autoencoder::Autoencoder;
use crate::train::blocks::Blocks;
use crate::train::diffusion::{Diffusion, LogitNormal};
use crate::train::samples::{self, Tasks};
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::vocabulary::{self, Kind};
use crate::train::{TrainError, state};
use crate::world::SIDE;
use crate::world::random::Random;
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `stable-diffusion`.
pub(super) static STABLE_DIFFUSION: TaskDescription = TaskDescription {
    name: "stable-diffusion",
    about: "A UNet with cross-attention and its CLIP text encoder in Stable Diffusion 1.5's form, from nothing, over a \
            frozen autoencoder.",
    roles: &["vae"],
    open: |setup| Ok(Box::new(StableDiffusion::new(setup)?)),
};

const FILES: [&str; 8] = [
    "model_index.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/tokenizer.json",
    "scheduler/scheduler_config.json",
    "vae/config.json",
];

/// `network` of the task `stable-diffusion`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    unet: UNetConfig,
    text_encoder: ClipTextConfig,
    /// `scheduler_config.json`, with the name of the scheduler in `_class_name`.
    scheduler: SchedulerConfig,
}

/// `settings` of the task `stable-diffusion`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StableDiffusionTaskSettings {
    /// How many different samples there are. They come again in the same order.
    samples: u64,
    /// The share of samples whose caption is the empty text, for guidance.
    drop_text: f64,
    /// The share of signs among the samples.
    #[serde(default = "signs")]
    signs: f64,
    /// How often captions are of each of GenEval's tasks.
    #[serde(default)]
    tasks: Tasks,
    /// Which times the samples have. Without it, all come equally often.
    #[serde(default)]
    times: Option<LogitNormal>,
}

fn signs() -> f64 {
    samples::SIGN
}

/// A Stable Diffusion that learns.
pub(super) struct StableDiffusion {
    settings: StableDiffusionTaskSettings,
    config: Value,
    unet: UNet,
    text: ClipText,
    tokens: Tokenizer,
    /// How many tokens a prompt has, padding included.
    length: usize,
    diffusion: Diffusion,
    vae: Autoencoder,
    variables: Arc<Variables>,
    blocks: Blocks<CaptionedBatch>,
    device: Device,
    seed: u64,
    batch: usize,
}

impl StableDiffusion {
    /// # Errors
    /// Fails if the definition has a mistake or the autoencoder is absent.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: StableDiffusionTaskSettings = setup.settings()?;
        settings.check()?;
        let network: Network = setup.network()?;
        let vae = Autoencoder::open(&setup.sources.need("vae")?, device)?;
        network.check(&vae)?;
        let variables = setup.variables(Vec::new());
        let weights = variables.weights();
        Ok(Self {
            unet: UNet::new(&network.unet, &weights.at("unet")).map_err(TrainError::definition)?,
            text: ClipText::new(&network.text_encoder, &weights.at("text_encoder"))?,
            tokens: Tokenizer::from_json(&vocabulary::tokenizer(Kind::Clip))?,
            length: network.text_encoder.max_position_embeddings,
            diffusion: Diffusion::new(network.scheduler, settings.times)?,
            config: setup.network.to_json(),
            blocks: Blocks::new(setup.batches(settings.samples)),
            settings,
            vae,
            variables,
            device: device.clone(),
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    fn block(&self, number: u64) -> Result<CaptionedBatch, TrainError> {
        let mut random = Random::new(self.seed, samples::stream(samples::TRAINING, number));
        let mixture = (self.settings.signs, &self.settings.tasks);
        CaptionedBatch::drawn(&self.vae, mixture, self.batch, &mut random)
    }

    /// The states of prompts, [B, L, J].
    fn context(&self, prompts: &[&str]) -> Result<Tensor, TrainError> {
        let rows = prompts
            .iter()
            .map(|prompt| Ok(self.tokens.clip_ids(prompt, self.length)?.ids));
        let rows: Vec<Vec<u32>> = rows.collect::<Result<_, TrainError>>()?;
        let ids = Tensor::from_vec(rows.concat(), (prompts.len(), self.length), &self.device)?;
        Ok(self.text.forward(&ids)?.last_hidden_state)
    }

    /// Pictures of prompts without guidance, from the noise of a seed.
    fn pictures(&self, prompts: &[&str], seed: u64) -> Result<Vec<RgbImage>, TrainError> {
        let context = self.context(prompts)?.detach();
        let side = SIDE as usize / self.vae.scale_factor();
        let shape = (prompts.len(), self.vae.channels(), side, side);
        let count = prompts.len() * self.vae.channels() * side * side;
        let noise = randn(&mut Generator::new(seed), count, DType::F32);
        let noise = Tensor::from_vec(noise, shape, &self.device)?;
        let made = self.diffusion.sample(&noise, STEPS, |x, times| {
            Ok(self.unet.forward(x, times, &context, None)?)
        })?;
        self.vae.pictures_of_cells(&made)
    }
}

impl StableDiffusionTaskSettings {
    /// # Errors
    /// Fails if a share is outside its range. The message names it.
    fn check(&self) -> Result<(), TrainError> {
        let shares = [("drop_text", self.drop_text), ("signs", self.signs)];
        let wrong = |(_, share): &&(&str, f64)| !(0.0..=1.0).contains(share);
        match shares.iter().find(wrong) {
            None => Ok(()),
            Some((key, share)) => Err(TrainError::Definition {
                message: format!("`settings.{key}` is {share}; it must be 0 to 1"),
            }),
        }
    }
}

impl Network {
    /// Checks that the parts fit each other, the vocabulary and the autoencoder.
    ///
    /// # Errors
    /// Fails with the first size that does not fit.
    fn check(&self, vae: &Autoencoder) -> Result<(), TrainError> {
        if self.unet.is_xl() {
            return Err(TrainError::Definition {
                message: "`network.unet.addition_embed_type`: this task has no pooled prompt"
                    .into(),
            });
        }
        let (unet, text) = (&self.unet, &self.text_encoder);
        let sizes = [
            ("unet.in_channels", unet.in_channels, vae.channels()),
            (
                "unet.cross_attention_dim",
                unet.cross_attention_dim,
                text.hidden_size,
            ),
            (
                "text_encoder.vocab_size",
                text.vocab_size,
                vocabulary::size(Kind::Clip),
            ),
        ];
        match sizes.iter().find(|(_, is, wanted)| is != wanted) {
            None => Ok(()),
            Some((key, is, wanted)) => Err(TrainError::Definition {
                message: format!("`network.{key}` is {is}; it must be {wanted}"),
            }),
        }
    }
}

impl Learner for StableDiffusion {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let block = self.blocks.get(step, |number| self.block(number))?;
        let mut generator = Generator::new(samples::noise(self.seed, step));
        let latents = self.vae.draw_cells(&block.moments, &mut generator)?;
        let prompts = block.captions.iter().map(|caption| {
            if generator.uniform() < self.settings.drop_text {
                ""
            } else {
                caption.as_str()
            }
        });
        let prompts: Vec<&str> = prompts.collect();
        let context = self.context(&prompts)?;
        let noised = self.diffusion.noised(&latents, &mut generator)?;
        let predicted = self
            .unet
            .forward(&noised.noisy, &noised.times, &context, None)?;
        Ok(Loss::new(noised.loss(&predicted)?, &[]))
    }

    fn check(&self) -> Result<Numbers, TrainError> {
        check_captions(self.seed, |prompts, seed| self.pictures(prompts, seed))
    }

    fn files(&self) -> &'static [&'static str] {
        &FILES
    }

    /// The folder of Stable Diffusion 1.5, as diffusers lays it out.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        let scheduler = &self.config["scheduler"];
        write_json(&folder.join("model_index.json"), &index(scheduler))?;
        write_json(&folder.join("scheduler/scheduler_config.json"), scheduler)?;
        for (part, file, key, class) in [
            (
                "unet",
                "diffusion_pytorch_model.safetensors",
                "_class_name",
                json!("UNet2DConditionModel"),
            ),
            (
                "text_encoder",
                "model.safetensors",
                "architectures",
                json!(["CLIPTextModel"]),
            ),
        ] {
            let mut config = self.config[part].clone();
            config[key] = class;
            let place = folder.join(part);
            write_json(&place.join("config.json"), &config)?;
            state::write_weights(&place.join(file), &strip(&weights, part))?;
        }
        let tokenizer = folder.join("tokenizer/tokenizer.json");
        write_json(&tokenizer, &vocabulary::tokenizer(Kind::Clip))?;
        self.publish_vae(&folder.join("vae"))?;
        Ok(Numbers::new())
    }
}

impl StableDiffusion {
    /// Copies the autoencoder. Its file says whether there are quantisation convolutions, since readers of
    /// Stable Diffusion expect them where it does not.
    fn publish_vae(&self, folder: &Path) -> Result<(), TrainError> {
        copy(self.vae.folder(), folder)?;
        let path = folder.join("config.json");
        let mut config: Value = read_config(&path)?;
        let read: VaeConfig = read_config(&path)?;
        config["use_quant_conv"] = json!(read.use_quant_conv);
        config["use_post_quant_conv"] = json!(read.use_post_quant_conv);
        write_json(&path, &config)
    }
}

/// `model_index.json`.
fn index(scheduler: &Value) -> Value {
    json!({
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.32.2",
        "feature_extractor": [null, null],
        "image_encoder": [null, null],
        "requires_safety_checker": false,
        "safety_checker": [null, null],
        "scheduler": ["diffusers", scheduler["_class_name"]],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizerFast"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    })
}
