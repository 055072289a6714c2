//! Qwen2.5-VL as somebody to ask: pictures and a question in, words out.

use super::QwenVlSettings;
use crate::cancel::Cancel;
use crate::generate::diffusion::{Network, fatal, running};
use crate::generate::{GenerateError, Place};
use crate::model::conversation::{Message, Piece, Reader, Reply};
use crate::model::processor::PixelLimits;
use crate::model::qwen2_5_vl::{Config, Qwen2_5Vl};
use crate::model::read_config;
use crate::model::tokenizer::chat::{Form, Role};
use candle_core::Device;

/// A language model that sees, with its tokenizer; the weights are loaded at the first question.
pub struct Assistant {
    network: Network<Qwen2_5Vl>,
    reader: Reader,
    settings: QwenVlSettings,
    device: Device,
}

impl Assistant {
    /// Opens a published folder.
    ///
    /// # Errors
    /// When a file is absent or damaged, or weights and configuration do not fit.
    pub fn open(settings: QwenVlSettings, place: &Place) -> Result<Self, GenerateError> {
        if settings.max_new_tokens == 0 {
            return Err(GenerateError::fatal(
                "`max_new_tokens` is 0; it must be 1 or more",
                "give at least 1",
            ));
        }
        let folder = &settings.checkpoint;
        let config: Config = read_config(&folder.join("config.json")).map_err(fatal)?;
        let dtype = settings.precision.on(&place.device);
        Ok(Self {
            network: Network::open(folder, dtype, &place.device, move |weights| {
                Qwen2_5Vl::new(&config, weights)
            })?,
            reader: Reader::open(folder).map_err(fatal)?,
            device: place.device.clone(),
            settings,
        })
    }

    /// The network, for its memory.
    pub(super) fn network(&mut self) -> &mut Network<Qwen2_5Vl> {
        &mut self.network
    }

    /// Bytes of weights, and whether they are loaded.
    pub(super) fn memory(&self) -> (u64, bool) {
        (self.network.bytes(), self.network.is_loaded())
    }

    /// Everything that shapes an answer beside the question.
    pub(super) fn identity(&self) -> String {
        format!("{:?}", self.settings)
    }

    /// Answers a conversation whose last message is the user's.
    ///
    /// # Errors
    /// When a picture is too narrow, memory runs out or Ctrl-C was pressed.
    pub fn answer(
        &mut self,
        messages: &[Message<'_>],
        cancel: &Cancel,
    ) -> Result<Reply, GenerateError> {
        let wrong = running("answer");
        let limits = PixelLimits {
            min: self.settings.min_pixels,
            max: self.settings.max_pixels,
        };
        let system = self.settings.system.as_deref().map(|text| Message {
            role: Role::System,
            pieces: vec![Piece::Text(text)],
        });
        let messages: Vec<Message<'_>> =
            system.into_iter().chain(messages.iter().cloned()).collect();
        let conversation = self
            .reader
            .encode(&messages, Form::Qwen, limits, &self.device)
            .map_err(|error| GenerateError::item("prompt", error.to_string()))?;
        let reply = self.reader.reply(
            self.network.get()?,
            &conversation,
            self.settings.max_new_tokens,
            self.settings.repetition_penalty as f32,
            &mut |_| !cancel.is_raised(),
        );
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        reply.map_err(&wrong)
    }
}
