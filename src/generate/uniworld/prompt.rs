//! The phase `prompt`: the language model reads the conversation and either answers in words or leaves its states, with
//! reference features between them, to the denoiser.

use super::reference::ReferenceEncoder;
use super::settings::UniWorldSettings;
use crate::cancel::Cancel;
use crate::generate::diffusion::{Key, Made, Named, Network, PROMPT, Stage, Step, running};
use crate::generate::{GenerateError, Request};
use crate::image::{decode_file, read_file};
use crate::model::processor::{PixelLimits, QwenProcessor};
use crate::model::qwen2_5_vl::Qwen2_5Vl;
use crate::model::tokenizer::Tokenizer;
use crate::model::tokenizer::chat::{ChatTokens, Item, Role, Turn, uniworld};
use crate::model::uniworld::{Conditioner, TaskHead};
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{Device, Tensor};
use image::RgbImage;

/// The understanding half of UniWorld.
pub struct Prompt {
    pub conditioner: Network<Conditioner>,
    pub reference: Option<ReferenceEncoder>,
    pub task_head: Option<Network<TaskHead>>,
    pub tokenizer: Tokenizer,
    pub processor: QwenProcessor,
    pub settings: UniWorldSettings,
    /// Everything of the settings and the checkpoint that shapes this phase.
    pub identity: Vec<u8>,
    pub device: Device,
}

/// A request as the language model takes it.
struct Read {
    ids: Vec<u32>,
    /// All patches of all pictures, none without pictures.
    pixel_values: Option<Tensor>,
    grids: Vec<[usize; 3]>,
    pictures: Vec<RgbImage>,
}

impl Read {
    /// The language model's final states, [1, L, D].
    fn states(&self, vlm: &Qwen2_5Vl) -> Result<Tensor> {
        let pixels = self.pixel_values.as_ref();
        let images = pixels
            .map(|pixels| vlm.image_embeds(pixels, &self.grids))
            .transpose()?;
        vlm.hidden_states(&self.ids, images.as_ref(), &self.grids)
    }
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

    fn load(&mut self) -> Result<(), GenerateError> {
        self.conditioner.load()?;
        if let Some(reference) = &mut self.reference {
            reference.load()?;
        }
        self.task_head.as_mut().map_or(Ok(()), Network::load)
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
        for image in &request.item.images {
            let path = request.base.join(image);
            parts.push(read_file(&path).map_err(|error| broken(&error))?);
        }
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
        let read = self.read(request)?;
        let mut extra = Object::new();
        if request.item.task == Task::Understand {
            return self.answer(&read, extra, cancel);
        }
        let states = read.states(&self.conditioner.get()?.vlm).map_err(&wrong)?;
        if let Some(head) = &mut self.task_head {
            let logits = route(head.get()?, &self.tokenizer, &read.ids, &states).map_err(&wrong)?;
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
            .encoder_hidden_states(&read.ids, &states, references.as_ref())
            .map_err(&wrong)?;
        Ok(Step {
            made: Made::Tensors([(PROMPT.to_owned(), prompt)].into()),
            extra,
        })
    }
}

impl Prompt {
    /// Text first, then the pictures, as the authors' evaluation puts them.
    fn read(&self, request: &Request<'_>) -> Result<Read, GenerateError> {
        let mut pictures = Vec::new();
        for image in &request.item.images {
            let decoded = decode_file(&request.base.join(image)).map_err(|error| broken(&error))?;
            pictures.push(decoded.rgb);
        }
        let read = || -> Result<Read> {
            let limits = PixelLimits {
                min: self.settings.min_pixels,
                max: self.settings.max_pixels,
            };
            let mut items = vec![Item::Text(request.item.prompt.clone())];
            let (mut values, mut grids) = (Vec::new(), Vec::new());
            for picture in &pictures {
                let patches = self.processor.prepare(picture, limits)?;
                items.push(Item::Image(patches.tokens));
                grids.push(patches.grid);
                values.push(patches.values);
            }
            let turn = Turn {
                role: Role::User,
                items,
            };
            Ok(Read {
                ids: uniworld(&self.tokenizer, &[turn])?,
                pixel_values: match values.is_empty() {
                    true => None,
                    false => Some(Tensor::cat(&values, 0)?.to_device(&self.device)?),
                },
                grids,
                pictures: Vec::new(),
            })
        };
        let mut read = read().map_err(|error| GenerateError::item("prompt", error.to_string()))?;
        read.pictures = pictures;
        Ok(read)
    }

    fn answer(
        &mut self,
        read: &Read,
        extra: Object,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let wrong = running("prompt");
        let end = ChatTokens::of(&self.tokenizer).map_err(&wrong)?.im_end;
        let ids = self
            .conditioner
            .get()?
            .vlm
            .generate_greedy(
                &read.ids,
                read.pixel_values.as_ref(),
                &read.grids,
                self.settings.max_new_tokens,
                Some(&[end]),
                &mut |_| !cancel.is_raised(),
            )
            .map_err(&wrong)?;
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        Ok(Step {
            made: Made::Text(self.tokenizer.decode(&ids).map_err(&wrong)?),
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

fn broken(error: &crate::image::ImageError) -> GenerateError {
    GenerateError::item("image", error.to_string())
}
