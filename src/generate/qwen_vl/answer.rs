//! The phase `answer`: reads first the pictures and then the question, and answers in words.

use super::QwenVlSettings;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::generate::spoken::{Order, Spoken};
use crate::model::conversation::{Message, Piece, Reader, Reply};
use crate::model::processor::PixelLimits;
use crate::model::qwen_vl::{QwenVl as QwenVlModel, QwenVlConfig};
use crate::model::tokenizer::chat::Role;
use crate::record::Object;
use candle_core::Device;
use serde_json::json;

/// A vision-language model with its tokenizer.
struct Answer {
    network: Network<QwenVlModel>,
    reader: Reader,
    settings: QwenVlSettings,
    device: Device,
}

/// The only phase, for a folder as it is published.
///
/// # Errors
/// Fails if the configuration is absent or wrong.
pub(super) fn phase(
    settings: &QwenVlSettings,
    folder: &CheckpointFolder,
) -> Result<Phase, GenerateError> {
    let config: QwenVlConfig = folder.config("config.json")?;
    let info = NetworkInfo {
        split: match config {
            QwenVlConfig::V2_5(_) => &[("visual.", "visual"), ("", "language model")],
            QwenVlConfig::V3(_) => &[("model.visual.", "visual"), ("", "language model")],
        },
        ..NetworkInfo::new(config.title(), folder.location(), folder.dtype())
    };
    let network = Network::new(info, move |weights| QwenVlModel::new(&config, weights));
    let (settings, folder) = (settings.clone(), folder.clone());
    Ok(Phase::new("answer", vec![network.any()], move |device| {
        if settings.max_new_tokens == 0 {
            return Err(GenerateError::fatal(
                "`max_new_tokens` is 0; it must be 1 or more",
                "give at least 1",
            ));
        }
        Ok(Answer {
            network,
            reader: Reader::open(folder.path()).map_err(fatal)?,
            settings,
            device: device.clone(),
        })
    }))
}

impl Answer {
    /// Answers a conversation that ends with a message of the user.
    fn reply(&self, messages: &[Message<'_>], cancel: &Cancel) -> Result<Reply, GenerateError> {
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
        let network = self.network.get()?;
        let conversation = self
            .reader
            .encode(&messages, network.form(), limits, &self.device)
            .map_err(|error| GenerateError::item("prompt", error.to_string()))?;
        let reply = self.reader.reply(
            &*network,
            &conversation,
            self.settings.max_new_tokens,
            self.settings.repetition_penalty as f32,
            &mut |_| !cancel.is_raised(),
        );
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        reply.map_err(running("answer"))
    }
}

impl Stage for Answer {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!(["answer", self.settings, request.item.prompt]);
        Ok(Key::after(before, &shape, &Spoken::file_bytes(request)?))
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        _: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let spoken = Spoken::turns(request)?;
        let turns = spoken.iter().map(|turn| turn.message(Order::PicturesFirst));
        let messages: Vec<Message<'_>> = turns.collect();
        let reply = self.reply(&messages, cancel)?;
        let mut extra = Object::new();
        Spoken::note_changes(&spoken, &mut extra);
        extra.insert("input_tokens".into(), reply.input_tokens.into());
        extra.insert("output_tokens".into(), reply.output_tokens.into());
        if reply.truncated {
            extra.insert("answer_truncated".into(), true.into());
        }
        Ok(Step {
            made: Made::Text(reply.text),
            extra,
        })
    }
}
