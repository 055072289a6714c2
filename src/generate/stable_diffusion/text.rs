//! The phase `text`: the states of a prompt and of the negative prompt.

use super::names::{NEGATIVE_POOLED, NEGATIVE_PROMPT, POOLED, PROMPT};
use super::settings::StableDiffusionSettings;
use super::variant::weights_of;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::model::clip::{
    ClipText, ClipTextConfig, ClipTextStates, ProjectedText, ProjectedTextConfig,
};
use crate::model::stable_diffusion::Guidance;
use crate::model::tokenizer::Tokenizer;
use crate::model::{ModelError, read_config};
use crate::record::Object;
use candle_core::{D, Device, Tensor};
use serde_json::{Value, json};
use std::path::Path;

/// The token with which a tokenizer pads, if its files do not say it.
pub(super) const PAD_FIRST: &str = "<|endoftext|>";
pub(super) const PAD_SECOND: &str = "!";

/// `model_index.json`
#[derive(serde::Deserialize)]
#[serde(default)]
struct Index {
    /// Whether SDXL's negative side is zeros if there is no negative prompt.
    force_zeros_for_empty_prompt: bool,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            force_zeros_for_empty_prompt: true,
        }
    }
}

/// A text encoder with its tokenizer.
pub(super) struct Encoder<T> {
    pub network: Network<T>,
    pub tokenizer: Tokenizer,
    /// The token with which a text is padded.
    pad: String,
    /// Number of tokens, to which a text is padded or cut.
    pub length: usize,
}

/// What stands on the negative side of the guidance.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Negative {
    /// There is no guidance.
    None,
    /// Zeros of the prompt's shapes.
    Zeros,
    Text(String),
}

struct Text {
    first: Encoder<ClipText>,
    second: Option<Encoder<ProjectedText>>,
    negative: Negative,
    device: Device,
    dtype: &'static str,
}

/// The text encoders of a folder: one, or two in SDXL.
///
/// # Errors
/// Fails if a configuration is absent or wrong.
pub(super) fn text_phase(
    folder: &CheckpointFolder,
    settings: &StableDiffusionSettings,
    is_xl: bool,
) -> Result<Phase, GenerateError> {
    let variant = settings.variant.as_deref();
    let info = |name, part| {
        let location = weights_of(folder, part, variant);
        NetworkInfo::new(name, location, folder.dtype())
    };
    let config: ClipTextConfig = folder.config("text_encoder/config.json")?;
    let length = config.max_position_embeddings;
    let first = Network::new(info("CLIP text encoder", "text_encoder"), move |weights| {
        ClipText::new(&config, weights)
    });
    let mut networks = vec![first.any()];
    let second = if is_xl {
        let config: ProjectedTextConfig = folder.config("text_encoder_2/config.json")?;
        let length = config.tower.max_position_embeddings;
        let network = Network::new(
            info("second CLIP text encoder", "text_encoder_2"),
            move |weights| ProjectedText::new(&config, weights),
        );
        networks.push(network.any());
        Some((network, length))
    } else {
        None
    };
    let negative = negative(folder, settings, is_xl)?;
    let folder = folder.clone();
    Ok(Phase::new("text", networks, move |device| {
        let second = second.map(|(network, length)| {
            let tokenizer = folder.path().join("tokenizer_2");
            Encoder::new(network, &tokenizer, PAD_SECOND, length)
        });
        let tokenizer = folder.path().join("tokenizer");
        Ok(Text {
            first: Encoder::new(first, &tokenizer, PAD_FIRST, length)?,
            second: second.transpose()?,
            negative,
            device: device.clone(),
            dtype: folder.dtype().as_str(),
        })
    }))
}

fn negative(
    folder: &CheckpointFolder,
    settings: &StableDiffusionSettings,
    is_xl: bool,
) -> Result<Negative, GenerateError> {
    let guidance = Guidance {
        scale: settings.guidance_scale,
        rescale: settings.guidance_rescale,
    };
    if !guidance.is_on() {
        return Ok(Negative::None);
    }
    let index = folder.path().join("model_index.json");
    let index: Index = if index.is_file() {
        read_config(&index).map_err(fatal)?
    } else {
        Index::default()
    };
    Ok(match &settings.negative_prompt {
        None if is_xl && index.force_zeros_for_empty_prompt => Negative::Zeros,
        text => Negative::Text(text.clone().unwrap_or_default()),
    })
}

impl<T> Encoder<T> {
    /// The encoder with the tokenizer of a folder, which pads with `pad` if its files do not say another
    /// token.
    ///
    /// # Errors
    /// Fails if the tokenizer is absent or damaged.
    pub(super) fn new(
        network: Network<T>,
        folder: &Path,
        pad: &str,
        length: usize,
    ) -> Result<Self, GenerateError> {
        Ok(Self {
            network,
            tokenizer: Tokenizer::open(folder).map_err(fatal)?,
            pad: pad_token(folder).unwrap_or_else(|| pad.to_owned()),
            length,
        })
    }

    /// The ids of a text in CLIP's form, [1, L], and whether it was cut.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot represent the text.
    pub(super) fn clip_ids(
        &self,
        text: &str,
        device: &Device,
    ) -> Result<(Tensor, bool), ModelError> {
        let padded = self
            .tokenizer
            .clip_ids_padded(text, self.length, &self.pad)?;
        let ids = Tensor::new(padded.ids.as_slice(), device)?;
        Ok((ids.unsqueeze(0)?, padded.truncated))
    }
}

/// The padding token that the files of a tokenizer name.
fn pad_token(folder: &Path) -> Option<String> {
    let names = ["special_tokens_map.json", "tokenizer_config.json"];
    let mut maps = names
        .iter()
        .filter_map(|name| read_config::<Value>(&folder.join(name)).ok());
    maps.find_map(|map| {
        let pad = map.get("pad_token")?;
        let text = pad.get("content").unwrap_or(pad).as_str()?;
        Some(text.to_owned())
    })
}

impl Stage for Text {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let negative = match &self.negative {
            Negative::None => Value::Null,
            Negative::Zeros => json!(0),
            Negative::Text(text) => json!(text),
        };
        let shape = json!(["text", negative, self.dtype, request.item.prompt]);
        Ok(Key::after(before, &shape, &[]))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let names = [PROMPT, POOLED];
        let negative_names = [NEGATIVE_PROMPT, NEGATIVE_POOLED];
        let (mut tensors, cut) = self.encode(&request.item.prompt, names)?;
        match &self.negative {
            Negative::None => {}
            Negative::Text(text) => tensors.extend(self.encode(text, negative_names)?.0),
            Negative::Zeros => {
                for (name, negative) in names.into_iter().zip(negative_names) {
                    if let Some(tensor) = tensors.get(name) {
                        let zeros = tensor.zeros_like().map_err(ModelError::from);
                        tensors.insert(negative.into(), zeros.map_err(running("text"))?);
                    }
                }
            }
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
    /// The states of a text with the given names, and the encoders for which the text was too long.
    fn encode(
        &self,
        text: &str,
        [states_name, pooled_name]: [&str; 2],
    ) -> Result<(Named, Vec<&'static str>), GenerateError> {
        let wrong = running("text");
        let (ids, is_cut) = self.first.clip_ids(text, &self.device).map_err(&wrong)?;
        let mut cut = Vec::new();
        if is_cut {
            cut.push("clip");
        }
        let network = self.first.network.get()?;
        let first = network.forward(&ids).map_err(&wrong)?;
        let Some(second) = &self.second else {
            let named = (states_name.to_owned(), first.last_hidden_state);
            return Ok(([named].into(), cut));
        };
        let (ids, is_cut) = second.clip_ids(text, &self.device).map_err(&wrong)?;
        if is_cut {
            cut.push("clip_2");
        }
        let network = second.network.get()?;
        let second = network.forward(&ids).map_err(&wrong)?;
        let states = beside(&first, &second).map_err(&wrong)?;
        let named = [
            (states_name.to_owned(), states),
            (pooled_name.to_owned(), second.pooled),
        ];
        Ok((named.into(), cut))
    }
}

/// The states before the last layers of both encoders, side by side.
fn beside(first: &ClipTextStates, second: &ClipTextStates) -> Result<Tensor, ModelError> {
    let both = [&first.penultimate, &second.penultimate];
    Ok(Tensor::cat(&both, D::Minus1)?)
}
