//! The `qwen-vl` generator: Qwen2.5-VL answers questions about pictures, in this process.

mod assistant;
mod settings;

pub use assistant::Assistant;
pub use settings::QwenVlSettings;

use super::diffusion::{Chain, Key, Made, Named, Scratch, Stage, Step, fatal};
use super::error::GenerateError;
use super::generator::{Generator, Request};
use super::kind::Pipeline;
use super::parts::Part;
use super::place::{Place, Precision};
use super::spoken::{Order, Spoken};
use crate::cancel::Cancel;
use crate::model::conversation::Message;
use crate::model::qwen2_5_vl::{Config, Qwen2_5Vl};
use crate::model::read_config;
use crate::model::weights::Checked;
use crate::record::{Object, Task};
use std::path::Path;

/// The description of the generator.
pub struct QwenVl;

impl Pipeline for QwenVl {
    const NAME: &'static str = "qwen-vl";
    const SUMMARY: &'static str = "Qwen2.5-VL in this process: answers questions about pictures";
    type Settings = QwenVlSettings;

    fn precision(settings: &QwenVlSettings) -> Precision {
        settings.precision
    }

    fn checkpoints(settings: &QwenVlSettings) -> Vec<(&'static str, &Path)> {
        vec![("checkpoint", &settings.checkpoint)]
    }

    fn open(settings: QwenVlSettings, place: &Place) -> Result<Box<dyn Generator>, GenerateError> {
        Ok(Box::new(open(settings, place)?))
    }

    fn parts(
        settings: &QwenVlSettings,
        folder: &Path,
        gpu: bool,
    ) -> Result<Vec<Part>, GenerateError> {
        parts(settings, folder, gpu)
    }
}

/// Opens the model; weights are mapped, and loaded at the first question.
///
/// # Errors
/// As [`Assistant::open`].
fn open(settings: QwenVlSettings, place: &Place) -> Result<Chain, GenerateError> {
    let answer = Answer(Assistant::open(settings, place)?);
    Ok(Chain::new(
        &[Task::Understand],
        vec![Box::new(answer)],
        place.vram_budget,
        place.device.clone(),
        Scratch::at(&place.scratch),
    ))
}

/// The network's tensors, by the configuration in `folder`.
///
/// # Errors
/// When the configuration is absent or wrong.
fn parts(settings: &QwenVlSettings, folder: &Path, gpu: bool) -> Result<Vec<Part>, GenerateError> {
    let config: Config = read_config(&folder.join("config.json")).map_err(fatal)?;
    let build = |weights: &_| Qwen2_5Vl::new(&config, weights);
    let dtype = settings.precision.dtype(gpu);
    let whole = Part::of("answer", "", "Qwen2.5-VL", dtype, build)?;
    Ok(whole.split(&[("visual.", "visual"), ("", "language model")]))
}

/// The one phase: pictures first, then the question.
struct Answer(Assistant);

impl Stage for Answer {
    fn name(&self) -> &'static str {
        "answer"
    }

    fn bytes(&self) -> u64 {
        self.0.memory().0
    }

    fn loaded(&self) -> bool {
        self.0.memory().1
    }

    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        self.0.network().load(check)
    }

    fn unload(&mut self) {
        self.0.network().unload();
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let identity = self.0.identity();
        let mut parts = vec![identity.into_bytes(), before.as_bytes().to_vec()];
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
        let spoken = Spoken::of(request)?;
        let turns = spoken.iter().map(|turn| turn.message(Order::PicturesFirst));
        let messages: Vec<Message<'_>> = turns.collect();
        let reply = self.0.answer(&messages, cancel)?;
        let mut extra = Object::new();
        Spoken::note(&spoken, &mut extra);
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
