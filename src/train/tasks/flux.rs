//! Training of FLUX.1 text-to-image from nothing. The transformer and both text encoders learn together,
//! since there is no frozen T5 of the right size for the miniature world.

use super::denoise::{CaptionedBatch, Denoise, Prompts};
use super::description::TaskDescription;
use super::parts::{copy, strip, write_json};
use super::text::Text;
use crate::model::clip::{ClipText, ClipTextConfig};
use crate::model::flow_match::FlowMatchConfig;
use crate::model::flux::{FluxConfig, FluxTransformer};
use crate::model::noise::Generator;
use crate::model::t5::{T5Config, T5Encoder};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Variables;
use crate::train::autoencoder::Autoencoder;
use crate::train::blocks::Blocks;
use crate::train::samples::{self, Tasks};
use crate::train::setup::Setup;
use crate::train::task::{Learner, Loss, Numbers};
use crate::train::vocabulary::{self, Kind};
use crate::train::{TrainError, state};
use crate::world::random::Random;
use candle_core::Tensor;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The task `flux`.
pub(super) static FLUX: TaskDescription = TaskDescription {
    name: "flux",
    about: "FLUX.1 text-to-image with its two text encoders, from nothing: they learn together, over a frozen autoencoder.",
    roles: &["vae"],
    open: |setup| Ok(Box::new(Flux::new(setup)?)),
};

const FILES: [&str; 9] = [
    "model_index.json",
    "transformer/config.json",
    "transformer/diffusion_pytorch_model.safetensors",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "text_encoder_2/config.json",
    "text_encoder_2/model.safetensors",
    "tokenizer/tokenizer.json",
    "tokenizer_2/tokenizer.json",
];

/// `network` of the task `flux`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    transformer: FluxConfig,
    text_encoder: ClipTextConfig,
    text_encoder_2: T5Config,
    scheduler: FlowMatchConfig,
}

/// `settings` of the task `flux`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FluxSettings {
    /// How many different samples there are. They come again in the same order.
    samples: u64,
    /// Tokens of T5.
    max_sequence_length: usize,
    /// How often CLIP sees the empty text, as it does where T5 does not join.
    drop_pooled: f64,
    /// The share of signs among the samples.
    #[serde(default = "signs")]
    signs: f64,
}

fn signs() -> f64 {
    samples::SIGN
}

/// FLUX that learns.
pub(super) struct Flux {
    settings: FluxSettings,
    config: Value,
    denoise: Denoise,
    text: Text,
    variables: Arc<Variables>,
    blocks: Blocks<CaptionedBatch>,
    seed: u64,
    batch: usize,
}

impl Flux {
    /// # Errors
    /// Fails if the definition has a mistake or the autoencoder is absent.
    fn new(setup: &Setup<'_>) -> Result<Self, TrainError> {
        let device = setup.device;
        let settings: FluxSettings = setup.settings()?;
        let network: Network = setup.network()?;
        let vae = Autoencoder::open(&setup.sources.need("vae")?, device)?;
        let variables = setup.variables(Vec::new());
        let weights = variables.weights();
        let transformer = FluxTransformer::new(&network.transformer, &weights.at("transformer"))?;
        let text = Text {
            t5: T5Encoder::new(&network.text_encoder_2, &weights.at("text_encoder_2"))?,
            t5_tokens: Tokenizer::from_json(&vocabulary::tokenizer(Kind::T5))?,
            t5_length: settings.max_sequence_length,
            clip: ClipText::new(&network.text_encoder, &weights.at("text_encoder"))?,
            clip_tokens: Tokenizer::from_json(&vocabulary::tokenizer(Kind::Clip))?,
            clip_length: network.text_encoder.max_position_embeddings,
            device: device.clone(),
        };
        Ok(Self {
            blocks: Blocks::new(setup.batches(settings.samples)),
            settings,
            config: setup.network.to_json(),
            denoise: Denoise {
                transformer,
                vae,
                scheduler: network.scheduler,
                device: device.clone(),
            },
            text,
            variables,
            seed: setup.seed,
            batch: setup.batch,
        })
    }

    fn block(&self, number: u64) -> Result<CaptionedBatch, TrainError> {
        let mut random = Random::new(self.seed, samples::stream(samples::TRAINING, number));
        let mixture = (self.settings.signs, &Tasks::default());
        CaptionedBatch::drawn(&self.denoise.vae, mixture, self.batch, &mut random)
    }
}

impl Learner for Flux {
    fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    fn loss(&self, step: u64) -> Result<Loss, TrainError> {
        let block = self.blocks.get(step, |number| self.block(number))?;
        let mut generator = Generator::new(samples::noise(self.seed, step));
        let latents = self.denoise.vae.draw(&block.moments, &mut generator)?;
        let captions: Vec<&str> = block.captions.iter().map(String::as_str).collect();
        let pooled = captions.iter().map(|caption| {
            if generator.uniform() < self.settings.drop_pooled {
                ""
            } else {
                *caption
            }
        });
        let pooled: Vec<&str> = pooled.collect();
        let [context, pooled] = self.text.encode(&captions, &pooled)?;
        let loss = self
            .denoise
            .loss(&latents, &context, &pooled, None, &mut generator)?;
        Ok(Loss::new(loss, &[]))
    }

    fn check(&self) -> Result<Numbers, TrainError> {
        self.denoise.check(self.seed, |captions| {
            let [context, pooled] = self.text.encode(captions, captions)?;
            Ok(Prompts { context, pooled })
        })
    }

    fn files(&self) -> &'static [&'static str] {
        &FILES
    }

    /// The folder of FLUX.1, as diffusers lays it out.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError> {
        let index = json!({"_class_name": "FluxPipeline", "_diffusers_version": "0.32.2"});
        write_json(&folder.join("model_index.json"), &index)?;
        for (part, file, class) in [
            (
                "transformer",
                "diffusion_pytorch_model.safetensors",
                "FluxTransformer2DModel",
            ),
            ("text_encoder", "model.safetensors", "CLIPTextModel"),
            ("text_encoder_2", "model.safetensors", "T5EncoderModel"),
        ] {
            let mut config = self.config[part].clone();
            config["_class_name"] = json!(class);
            let place = folder.join(part);
            write_json(&place.join("config.json"), &config)?;
            state::write_weights(&place.join(file), &strip(&weights, part))?;
        }
        let mut scheduler = self.config["scheduler"].clone();
        scheduler["_class_name"] = json!("FlowMatchEulerDiscreteScheduler");
        write_json(&folder.join("scheduler/scheduler_config.json"), &scheduler)?;
        for (part, kind) in [("tokenizer", Kind::Clip), ("tokenizer_2", Kind::T5)] {
            let place = folder.join(part).join("tokenizer.json");
            write_json(&place, &vocabulary::tokenizer(kind))?;
        }
        copy(self.denoise.vae.folder(), &folder.join("vae"))?;
        Ok(Numbers::new())
    }
}
