//! The phase `prompt`: the language model reads the conversation and either answers in words or leaves its states, with
//! reference features between them, to the denoiser.

use super::reference::ReferenceEncoder;
use super::settings::UniWorldSettings;
use crate::cancel::Cancel;
use crate::generate::diffusion::{Key, Made, Named, Network, PROMPT, Stage, Step, running};
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::spoken::{Order, Spoken};
use crate::model::conversation::{Conversation, Message, Piece, Reader};
use crate::model::processor::PixelLimits;
use crate::model::tokenizer::Tokenizer;
use crate::model::tokenizer::chat::Form;
use crate::model::uniworld::{Conditioner, TaskHead};
use crate::model::weights::Checked;
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{Device, Tensor};
use image::RgbImage;

/// The understanding half of UniWorld.
pub struct Prompt {
    pub conditioner: Network<Conditioner>,
    pub reference: Option<ReferenceEncoder>,
    pub task_head: Option<Network<TaskHead>>,
    pub reader: Reader,
    pub settings: UniWorldSettings,
    /// Everything of the settings and the checkpoint that shapes this phase.
    pub identity: Vec<u8>,
    pub device: Device,
}

/// A request as the language model takes it, with its pictures for the reference encoder.
struct Read {
    conversation: Conversation,
    pictures: Vec<RgbImage>,
}

impl Stage for Prompt {
    fn name(&self) -> &'static str {
        "prompt"
    }

    fn bytes(&self) -> u64 {
        let reference = self.reference.as_ref().map_or(0, ReferenceEncoder::bytes);
        let head = self.task_head.as_ref().map_or(0, Network::bytes);
        self.conditioner.bytes() + reference + head
    }

    fn loaded(&self) -> bool {
        self.conditioner.is_loaded()
    }

    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        self.conditioner.load(check)?;
        if let Some(reference) = &mut self.reference {
            reference.load(check)?;
        }
        self.task_head
            .as_mut()
            .map_or(Ok(()), |head| head.load(check))
    }

    fn unload(&mut self) {
        self.conditioner.unload();
        if let Some(reference) = &mut self.reference {
            reference.unload();
        }
        if let Some(head) = &mut self.task_head {
            head.unload();
        }
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let mut parts = vec![
            b"prompt".to_vec(),
            self.identity.clone(),
            before.as_bytes().to_vec(),
        ];
        parts.push(format!("{:?}", request.item.task).into_bytes());
        parts.push(request.item.prompt.clone().into_bytes());
        parts.extend(Spoken::bytes(request)?);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Ok(Key::of(&parts))
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
        let states = conversation
            .states(&self.conditioner.get()?.vlm)
            .map_err(&wrong)?;
        if let Some(head) = &mut self.task_head {
            let logits = route(
                head.get()?,
                &self.reader.tokenizer,
                &conversation.ids,
                &states,
            )
            .map_err(&wrong)?;
            extra.insert("task_logits".into(), logits.to_vec().into());
            // Class 1 is a picture.
            if logits[0] >= logits[1] {
                return self.answer(&read, extra, cancel);
            }
        }
        let references = match &mut self.reference {
            Some(reference) if !read.pictures.is_empty() => Some(reference.encode(&read.pictures)?),
            _ => None,
        };
        let prompt = self
            .conditioner
            .get()?
            .encoder_hidden_states(&read.conversation.ids, &states, references.as_ref())
            .map_err(&wrong)?;
        Ok(Step {
            made: Made::Tensors([(PROMPT.to_owned(), prompt)].into()),
            extra,
        })
    }
}

impl Prompt {
    /// Text first, then the pictures, as the authors' evaluation puts them. What decoding changed of them is noted.
    fn read(&self, request: &Request<'_>, extra: &mut Object) -> Result<Read, GenerateError> {
        let spoken = Spoken::of(request)?;
        Spoken::note(&spoken, extra);
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

    fn answer(
        &mut self,
        read: &Read,
        extra: Object,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
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

/// The task head's logits: words, picture.
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
