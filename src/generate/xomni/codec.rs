//! The tokenizer by itself: a picture to codes, codes back to a picture through the decoder.

use super::look::Look;
use super::tokens::drawn;
use super::words::Codes;
use super::{CODES, Canvas, Chain, Config, Picture, Place, Scratch, Stage, XOmniSettings, fatal};
use crate::cancel::Cancel;
use crate::generate::diffusion::{Key, Named, Step};
use crate::generate::{Answer, GenerateError, Generator, Request};
use crate::model::weights::Checked;
use crate::record::{Item, Task};
use image::RgbImage;
use std::path::Path;

/// A checkpoint's tokenizer and decoder.
pub struct Codec {
    settings: XOmniSettings,
    place: Place,
    look: Option<Look>,
    /// The decoding pipeline for pictures of one size.
    chain: Option<(Canvas, Chain)>,
}

impl Codec {
    /// A codec that opens its networks when they are needed.
    pub fn new(settings: XOmniSettings, place: Place) -> Self {
        Self {
            settings,
            place,
            look: None,
            chain: None,
        }
    }

    /// The codes of a picture.
    ///
    /// # Errors
    /// When the checkpoint cannot be opened, or the picture is outside the limits.
    pub fn encode(&mut self, picture: &RgbImage) -> Result<Codes, GenerateError> {
        if self.look.is_none() {
            let own = self.settings.checkpoint.join("xomni");
            let config = Config::read(&own).map_err(fatal)?;
            let dtype = self.settings.precision.on(&self.place.device);
            let any = self.settings.any_image_size;
            self.look = Some(Look::open(&own, &config, any, dtype, &self.place.device)?);
        }
        let look = self.look.as_mut().ok_or(GenerateError::Cancelled)?;
        look.codes(picture)
    }

    /// A picture of codes; `prompt` is what a decoder that reads text is told.
    ///
    /// # Errors
    /// When the checkpoint cannot be opened, or the codes are no grid of the checkpoint's.
    pub fn decode(
        &mut self,
        coded: &Codes,
        prompt: &str,
        seed: u64,
        cancel: &Cancel,
    ) -> Result<RgbImage, GenerateError> {
        let canvas = Canvas {
            h: coded.height,
            w: coded.width,
        };
        if coded.ids.is_empty() || canvas.h.checked_mul(canvas.w) != Some(coded.ids.len()) {
            return Err(GenerateError::item(
                "tokens",
                format!(
                    "{} `ids` do not form a grid of `height` {} and `width` {}",
                    coded.ids.len(),
                    coded.height,
                    coded.width
                ),
            ));
        }
        // Opened anew for another size only; equal sizes share the loaded networks.
        if self.chain.as_ref().is_none_or(|(size, _)| *size != canvas) {
            self.chain = None;
            self.chain = Some((canvas, self.open(canvas)?));
        }
        let (_, chain) = self.chain.as_mut().ok_or(GenerateError::Cancelled)?;
        let item = Item {
            item: "tokens".into(),
            task: Task::TextToImage,
            prompt: prompt.into(),
            extra: [(CODES.to_owned(), coded.ids.clone().into())]
                .into_iter()
                .collect(),
            images: Vec::new(),
            expect: Default::default(),
            tags: Default::default(),
        };
        let request = Request {
            item: &item,
            base: Path::new(""),
            repeat: 0,
            seed,
        };
        match chain.generate(&request, cancel)?.answer {
            Answer::Pixels(pixels) => Ok(pixels),
            _ => Err(GenerateError::item(
                "network",
                "the decoder made no picture",
            )),
        }
    }

    fn open(&self, canvas: Canvas) -> Result<Chain, GenerateError> {
        let own = self.settings.checkpoint.join("xomni");
        let config = Config::read(&own).map_err(fatal)?;
        let dtype = self.settings.precision.on(&self.place.device);
        let vision = config.vision().map_err(fatal)?;
        let place = &self.place;
        let picture = Picture::open(&self.settings, &own, vision, canvas, dtype, place)?;
        let mut stages: Vec<Box<dyn Stage>> = vec![Box::new(Given)];
        stages.extend(picture.text);
        stages.extend(picture.last);
        Ok(Chain::new(
            &[Task::TextToImage],
            stages,
            self.place.vram_budget,
            self.place.device.clone(),
            Scratch::at(&self.place.scratch),
        ))
    }
}

/// Stands where the autoregressive model does: the codes are in the item.
struct Given;

impl Given {
    fn ids(request: &Request<'_>) -> Vec<u32> {
        let ids = request.item.extra.get(CODES).cloned().unwrap_or_default();
        serde_json::from_value(ids).unwrap_or_default()
    }
}

impl Stage for Given {
    fn name(&self) -> &'static str {
        "tokens"
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn loaded(&self) -> bool {
        true
    }

    fn load(&mut self, _: Option<Checked>) -> Result<(), GenerateError> {
        Ok(())
    }

    fn unload(&mut self) {}

    fn key(&self, request: &Request<'_>, _: &Key) -> Result<Key, GenerateError> {
        let ids = Self::ids(request)
            .iter()
            .flat_map(|id| id.to_le_bytes())
            .collect::<Vec<u8>>();
        Ok(Key::of(&[b"given", &ids]))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        drawn(Self::ids(request))
    }
}
