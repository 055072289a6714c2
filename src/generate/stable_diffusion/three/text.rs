//! The phase `text`: the states of both CLIPs and of T5.

use super::StableDiffusion3Settings;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, running,
};
use crate::generate::stable_diffusion::names::{NEGATIVE_POOLED, NEGATIVE_PROMPT, POOLED, PROMPT};
use crate::generate::stable_diffusion::text::{Encoder, PAD_FIRST, PAD_SECOND};
use crate::generate::stable_diffusion::variant::weights_of;
use crate::model::ModelError;
use crate::model::clip::{ProjectedText, ProjectedTextConfig};
use crate::model::sd3::Sd3Prompt;
use crate::model::t5::{T5Config, T5Encoder};
use crate::record::Object;
use candle_core::{Device, Tensor};
use serde_json::json;

struct Text {
    first: Encoder<ProjectedText>,
    second: Encoder<ProjectedText>,
    long: Encoder<T5Encoder>,
    /// The negative prompt, if there is guidance.
    negative: Option<String>,
    device: Device,
    dtype: &'static str,
}

/// The text encoders of a folder.
///
/// # Errors
/// Fails if a configuration is absent or wrong.
pub(super) fn text_phase(
    folder: &CheckpointFolder,
    settings: &StableDiffusion3Settings,
) -> Result<Phase, GenerateError> {
    let variant = settings.variant.as_deref();
    let (first, first_length) = clip(folder, ("CLIP text encoder", "text_encoder"), variant)?;
    let names = ("second CLIP text encoder", "text_encoder_2");
    let (second, second_length) = clip(folder, names, variant)?;
    let config: T5Config = folder.config("text_encoder_3/config.json")?;
    let location = weights_of(folder, "text_encoder_3", variant);
    let info = NetworkInfo::new("T5 encoder", location, folder.dtype());
    let long = Network::new(info, move |weights| T5Encoder::new(&config, weights));
    let networks = vec![first.any(), second.any(), long.any()];
    let guided = settings.guidance_scale > 1.0;
    let negative = guided.then(|| settings.negative_prompt.clone());
    let (folder, length) = (folder.clone(), settings.max_sequence_length);
    Ok(Phase::new("text", networks, move |device| {
        if length == 0 {
            return Err(GenerateError::fatal(
                "`max_sequence_length` = 0: T5 needs room for its end token",
                "the default is 256",
            ));
        }
        let tokenizer = |name: &str| folder.path().join(name);
        let first_tokenizer = tokenizer("tokenizer");
        let second_tokenizer = tokenizer("tokenizer_2");
        Ok(Text {
            first: Encoder::new(first, &first_tokenizer, PAD_FIRST, first_length)?,
            second: Encoder::new(second, &second_tokenizer, PAD_SECOND, second_length)?,
            long: Encoder::new(long, &tokenizer("tokenizer_3"), "<pad>", length)?,
            negative,
            device: device.clone(),
            dtype: folder.dtype().as_str(),
        })
    }))
}

/// A CLIP with its projection, and the number of tokens that it reads.
fn clip(
    folder: &CheckpointFolder,
    (name, part): (&'static str, &str),
    variant: Option<&str>,
) -> Result<(Network<ProjectedText>, usize), GenerateError> {
    let config: ProjectedTextConfig = folder.config(&format!("{part}/config.json"))?;
    let length = config.tower.max_position_embeddings;
    let info = NetworkInfo::new(name, weights_of(folder, part, variant), folder.dtype());
    let network = Network::new(info, move |weights| ProjectedText::new(&config, weights));
    Ok((network, length))
}

impl Stage for Text {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let prompt = &request.item.prompt;
        let shape = json!(["text", self.long.length, self.negative, self.dtype, prompt]);
        Ok(Key::after(before, &shape, &[]))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let (prompt, cut) = self.encode(&request.item.prompt)?;
        let mut tensors = Named::new();
        tensors.insert(PROMPT.into(), prompt.context);
        tensors.insert(POOLED.into(), prompt.pooled);
        if let Some(text) = &self.negative {
            let (negative, _) = self.encode(text)?;
            tensors.insert(NEGATIVE_PROMPT.into(), negative.context);
            tensors.insert(NEGATIVE_POOLED.into(), negative.pooled);
        }
        let mut extra = Object::new();
        if !cut.is_empty() {
            extra.insert("prompt_truncated_for".into(), cut.into());
        }
        Ok(Step {
            made: Made::Tensors(tensors),
            extra,
        })
    }
}

impl Text {
    /// The states of a text, and the encoders for which it was too long.
    fn encode(&self, text: &str) -> Result<(Sd3Prompt, Vec<&'static str>), GenerateError> {
        let wrong = running("text");
        let mut cut = Vec::new();
        let mut clip = |encoder: &Encoder<ProjectedText>, name| {
            let (ids, is_cut) = encoder.clip_ids(text, &self.device).map_err(&wrong)?;
            if is_cut {
                cut.push(name);
            }
            encoder.network.get()?.forward(&ids).map_err(&wrong)
        };
        let first = clip(&self.first, "clip")?;
        let second = clip(&self.second, "clip_2")?;
        let long = &self.long;
        let padded = long.tokenizer.t5_ids(text, long.length).map_err(&wrong)?;
        if padded.truncated {
            cut.push("t5");
        }
        let network = long.network.get()?;
        let states = || -> Result<Sd3Prompt, ModelError> {
            let ids = Tensor::new(padded.ids.as_slice(), &self.device)?;
            let states = network.forward(&ids.unsqueeze(0)?)?;
            Sd3Prompt::joined(&first, &second, &states)
        };
        Ok((states().map_err(&wrong)?, cut))
    }
}
