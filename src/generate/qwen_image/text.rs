//! The phase `text`: the states of a prompt in the conversation with which the release was trained.

use super::QwenImageSettings;
use super::pictures::Pictures;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::generate::stable_diffusion::names::{NEGATIVE_PROMPT, PROMPT};
use crate::model::ModelError;
use crate::model::conversation::{Message, Piece, Reader};
use crate::model::processor::{PixelLimits, QwenProcessor};
use crate::model::qwen2_5_vl::{Qwen2_5Vl, Qwen2_5VlConfig};
use crate::model::tokenizer::Tokenizer;
use crate::model::tokenizer::chat::{Form, Role};
use crate::record::Object;
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde_json::json;

/// The number of tokens to which a prompt is cut by default.
const LENGTH: usize = 512;
/// The largest such number.
const MOST: usize = 1024;

struct Text {
    network: Network<Qwen2_5Vl>,
    reader: Reader,
    pictures: Pictures,
    system: String,
    /// Number of tokens before the prompt, whose states are dropped.
    dropped: usize,
    /// Largest number of tokens after them. `None` for edits.
    length: Option<usize>,
    suffix: String,
    /// The negative prompt, if there is guidance.
    negative: Option<String>,
    device: Device,
    dtype: &'static str,
}

/// The text encoder of a folder.
///
/// # Errors
/// Fails if the configuration is absent or wrong.
pub(super) fn text_phase(
    folder: &CheckpointFolder,
    settings: &QwenImageSettings,
    pictures: Pictures,
) -> Result<Phase, GenerateError> {
    let config: Qwen2_5VlConfig = folder.config("text_encoder/config.json")?;
    let edits = pictures.release.edits();
    let mut info = NetworkInfo::new(
        "Qwen2.5-VL",
        folder.location_of("text_encoder"),
        folder.dtype(),
    );
    if edits {
        info.split = &[("visual.", "visual"), ("", "language model")];
    }
    let network = Network::new(info, move |weights| {
        if edits {
            Qwen2_5Vl::encoder(&config, weights)
        } else {
            Qwen2_5Vl::without_vision(&config, weights)
        }
    });
    let (folder, settings) = (folder.clone(), settings.clone());
    Ok(Phase::new("text", vec![network.any()], move |device| {
        let length = length_of(&settings, edits)?;
        let tokenizer = Tokenizer::open(&folder.path().join("tokenizer")).map_err(fatal)?;
        let processor = QwenProcessor::open(&folder.path().join("processor")).map_err(fatal)?;
        let system = match &settings.system_prompt {
            Some(system) => system.clone(),
            None => pictures.release.system().to_owned(),
        };
        let before = format!("<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n");
        Ok(Text {
            network,
            dropped: tokenizer.encode(&before).map_err(fatal)?.len(),
            reader: Reader::from_parts(tokenizer, processor).map_err(fatal)?,
            pictures,
            system,
            length,
            negative: settings
                .is_guided()
                .then(|| settings.negative_prompt.clone()),
            suffix: settings.prompt_suffix,
            device: device.clone(),
            dtype: folder.dtype().as_str(),
        })
    }))
}

/// The number of tokens to which a prompt is cut.
fn length_of(settings: &QwenImageSettings, edits: bool) -> Result<Option<usize>, GenerateError> {
    match (settings.max_sequence_length, edits) {
        (None, true) => Ok(None),
        (None, false) => Ok(Some(LENGTH)),
        (Some(length), true) => Err(GenerateError::fatal(
            format!(
                "`max_sequence_length` = {length}: Qwen-Image-Edit does not cut its instructions"
            ),
            "remove the key",
        )),
        (Some(length), false) if (1..=MOST).contains(&length) => Ok(Some(length)),
        (Some(length), false) => Err(GenerateError::fatal(
            format!("`max_sequence_length` = {length} must be from 1 to {MOST}"),
            format!("the default is {LENGTH}"),
        )),
    }
}

impl Stage for Text {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!([
            "qwen-image text",
            self.system,
            self.length,
            self.negative,
            self.suffix,
            self.pictures.vision_pixels,
            self.dtype,
            request.item.prompt
        ]);
        let files = self.pictures.bytes(request)?;
        Ok(Key::after(before, &shape, &files))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let mut extra = Object::new();
        let pictures = Pictures::at(self.pictures.vision_pixels, request, &mut extra)?;
        let prompt = format!("{}{}", request.item.prompt, self.suffix);
        let network = self.network.get()?;
        let (states, is_cut) = self.encode(&network, &prompt, &pictures)?;
        let mut tensors = Named::new();
        tensors.insert(PROMPT.into(), states);
        if let Some(text) = &self.negative {
            let (states, _) = self.encode(&network, text, &pictures)?;
            tensors.insert(NEGATIVE_PROMPT.into(), states);
        }
        if is_cut {
            extra.insert("prompt_truncated_for".into(), vec!["qwen2.5-vl"].into());
        }
        Ok(Step {
            made: Made::Tensors(tensors),
            extra,
        })
    }
}

impl Text {
    /// The states of a text with its pictures [1, L, J], and whether it was cut.
    fn encode(
        &self,
        network: &Qwen2_5Vl,
        text: &str,
        pictures: &[RgbImage],
    ) -> Result<(Tensor, bool), GenerateError> {
        let numbers = 1..=pictures.len();
        let labels: Vec<Option<String>> = numbers
            .map(|number| self.pictures.release.label(number))
            .collect();
        let mut pieces = Vec::new();
        for (label, picture) in labels.iter().zip(pictures) {
            pieces.extend(label.as_deref().map(Piece::Text));
            pieces.push(Piece::Picture(picture));
        }
        pieces.push(Piece::Text(text));
        let system = Message {
            role: Role::System,
            pieces: vec![Piece::Text(&self.system)],
        };
        let user = Message {
            role: Role::User,
            pieces,
        };
        let limits = PixelLimits::default();
        let mut conversation = self
            .reader
            .encode(&[system, user], Form::UniWorld, limits, &self.device)
            .map_err(|error| GenerateError::item("prompt", error.to_string()))?;
        let count = conversation.ids.len();
        // A later token changes no state of an earlier one, so it is left out before the network runs.
        if let Some(length) = self.length {
            conversation.ids.truncate(self.dropped + length);
        }
        let kept = conversation.ids.len();
        let states = || -> Result<Tensor, ModelError> {
            let rest = kept.saturating_sub(self.dropped);
            let states = conversation.states(network)?;
            Ok(states.narrow(1, self.dropped, rest)?.contiguous()?)
        };
        Ok((states().map_err(running("text"))?, kept < count))
    }
}
