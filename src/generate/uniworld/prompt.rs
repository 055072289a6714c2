//! The phase `prompt`: the language model reads the conversation. It either answers in words, or it makes
//! states with reference features between them for the denoiser.

use super::layout::OWN;
use super::reference::{ReferenceEncoder, ReferenceNetworks};
use super::settings::{Route, UniWorldSettings};
use crate::cancel::Cancel;
use crate::generate::diffusion::PROMPT;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::generate::spoken::{Order, Spoken};
use crate::model::conversation::{Conversation, Message, Piece, Reader};
use crate::model::processor::PixelLimits;
use crate::model::tokenizer::Tokenizer;
use crate::model::tokenizer::chat::Form;
use crate::model::uniworld::{Conditioner, TaskHead, UniWorldConfig};
use crate::model::weights::Asked;
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde_json::{Value, json};

/// The half of UniWorld that understands.
struct Prompt {
    conditioner: Network<Conditioner>,
    reference: Option<ReferenceEncoder>,
    task_head: Option<Network<TaskHead>>,
    reader: Reader,
    settings: UniWorldSettings,
    /// Everything in the settings and the checkpoint that determines the results of this phase.
    identity: Value,
    device: Device,
}

/// The phase for a checkpoint with this configuration.
///
/// # Errors
/// Fails if a configuration of the reference encoder is absent or wrong.
pub(super) fn phase(
    settings: &UniWorldSettings,
    config: &UniWorldConfig,
    folder: &CheckpointFolder,
) -> Result<Phase, GenerateError> {
    let conditioner = conditioner(config, folder);
    let reference = ReferenceNetworks::read(settings, config, folder)?;
    let task_head = (settings.route == Route::TaskHead).then(|| task_head(config, folder));
    let mut networks = vec![conditioner.any()];
    networks.extend(reference.iter().flat_map(ReferenceNetworks::networks));
    networks.extend(task_head.iter().map(Network::any));
    let (settings, folder) = (settings.clone(), folder.clone());
    Ok(Phase::new("prompt", networks, move |device| {
        // The settings of sampling belong to later phases. All other settings determine the results of this
        // phase.
        let identity = json!([
            "prompt",
            folder.path().to_string_lossy(),
            folder.dtype().as_str(),
            settings.vlm_sees_images,
            settings.min_pixels,
            settings.max_pixels,
            settings.route,
            settings.reference,
        ]);
        let open = |networks: ReferenceNetworks| networks.open(&settings, &folder, device);
        Ok(Prompt {
            conditioner,
            reference: reference.map(open).transpose()?,
            task_head,
            reader: Reader::open(&folder.location_of(OWN).path).map_err(fatal)?,
            identity,
            device: device.clone(),
            settings,
        })
    }))
}

/// The language model and its projector. The same files have a projector of VAE tokens, which no published
/// recipe uses.
fn conditioner(config: &UniWorldConfig, folder: &CheckpointFolder) -> Network<Conditioner> {
    let tower = &config.denoise_tower;
    let inner = tower.denoiser_config.width();
    let tensor = |name: &str, shape: &[usize]| Asked {
        name: format!("denoise_tower.vae_projector.{name}"),
        shape: shape.into(),
    };
    let unused = vec![
        tensor("0.weight", &[inner, tower.denoiser_config.in_channels]),
        tensor("0.bias", &[inner]),
        tensor("2.weight", &[tower.output_hidden_size, inner]),
        tensor("2.bias", &[tower.output_hidden_size]),
    ];
    let info = NetworkInfo {
        split: &[
            ("visual.", "visual"),
            ("denoise_tower.", "denoise_projector"),
            ("", "language model"),
        ],
        unused: Some(("vae_projector", unused)),
        ..NetworkInfo::new("Qwen2.5-VL", folder.location_of(OWN), folder.dtype())
    };
    let config = config.clone();
    Network::new(info, move |weights| Conditioner::new(&config, weights))
}

/// The network that decides between a picture and words. It is always in f32.
fn task_head(config: &UniWorldConfig, folder: &CheckpointFolder) -> Network<TaskHead> {
    let width = config.vlm.text.hidden_size;
    let location = folder.below(OWN).location_of("task_head_final.pt");
    let info = NetworkInfo::new("task head", location, DType::F32);
    Network::new(info, move |weights| TaskHead::new(weights, width))
}

/// A request in the form for the language model, with its pictures for the reference encoder.
struct Read {
    conversation: Conversation,
    pictures: Vec<RgbImage>,
}

impl Stage for Prompt {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!([self.identity, request.item.task, request.item.prompt]);
        Ok(Key::after(before, &shape, &Spoken::file_bytes(request)?))
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        _: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let wrong = running("prompt");
        let mut extra = Object::new();
        let read = self.read(request, &mut extra)?;
        if request.item.task == Task::Understand {
            return self.answer(&read, extra, cancel);
        }
        let conversation = &read.conversation;
        let conditioner = self.conditioner.get()?;
        let states = conversation.states(&conditioner.vlm).map_err(&wrong)?;
        if let Some(head) = &self.task_head {
            let tokenizer = &self.reader.tokenizer;
            let head = head.get()?;
            let logits = route(&head, tokenizer, &conversation.ids, &states);
            let logits = logits.map_err(&wrong)?;
            extra.insert("task_logits".into(), logits.to_vec().into());
            // Class 1 is a picture.
            if logits[0] >= logits[1] {
                return self.answer(&read, extra, cancel);
            }
        }
        let references = match &self.reference {
            Some(reference) if !read.pictures.is_empty() => Some(reference.encode(&read.pictures)?),
            _ => None,
        };
        let prompt = conditioner
            .encoder_hidden_states(&conversation.ids, &states, references.as_ref())
            .map_err(&wrong)?;
        Ok(Step {
            made: Made::Tensors([(PROMPT.to_owned(), prompt)].into()),
            extra,
        })
    }
}

impl Prompt {
    /// The text comes first and then the pictures, as in the authors' evaluation. The changes of decoding are
    /// noted.
    fn read(&self, request: &Request<'_>, extra: &mut Object) -> Result<Read, GenerateError> {
        let spoken = Spoken::turns(request)?;
        Spoken::note_changes(&spoken, extra);
        let turns = spoken.iter().map(|turn| turn.message(Order::TextFirst));
        let mut messages: Vec<Message<'_>> = turns.collect();
        if !self.settings.vlm_sees_images && request.item.task != Task::Understand {
            for message in &mut messages {
                message
                    .pieces
                    .retain(|piece| !matches!(piece, Piece::Picture(_)));
            }
        }
        let limits = PixelLimits {
            min: self.settings.min_pixels,
            max: self.settings.max_pixels,
        };
        let conversation = self
            .reader
            .encode(&messages, Form::UniWorld, limits, &self.device)
            .map_err(|error| GenerateError::item("prompt", error.to_string()))?;
        Ok(Read {
            conversation,
            pictures: spoken.into_iter().flat_map(|turn| turn.pictures).collect(),
        })
    }

    fn answer(&self, read: &Read, extra: Object, cancel: &Cancel) -> Result<Step, GenerateError> {
        let wrong = running("prompt");
        let reply = self.reader.reply(
            &self.conditioner.get()?.vlm,
            &read.conversation,
            self.settings.max_new_tokens,
            1.0,
            &mut |_| !cancel.is_raised(),
        );
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        Ok(Step {
            made: Made::Text(reply.map_err(&wrong)?.text),
            extra,
        })
    }
}

/// The two logits of the task head, for words and for a picture.
fn route(head: &TaskHead, tokenizer: &Tokenizer, ids: &[u32], states: &Tensor) -> Result<[f32; 2]> {
    let logits = head.route(states, ids, tokenizer.token("assistant")?)?;
    let logits: Vec<f32> = logits.flatten_all()?.to_vec1()?;
    match logits[..] {
        [words, picture] => Ok([words, picture]),
        _ => Err(ModelError::Input(
            "the task head does not give two logits".into(),
        )),
    }
}
