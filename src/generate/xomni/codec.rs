//! The tokenizer by itself: from a picture to codes, and from codes back to a picture through the decoder.

use super::layout::{CODES, OWN};
use super::look::{Look, LookNetworks};
use super::picture::PicturePhases;
use super::settings::XOmniSettings;
use super::tokens::codes_step;
use super::words::Codes;
use crate::cancel::Cancel;
use crate::generate::diffusion::Canvas;
use crate::generate::error::GenerateError;
use crate::generate::generator::{Answer, Generator, Request};
use crate::generate::pipeline::{
    AnyNetwork, Chain, CheckpointFolder, Key, Named, Phase, Stage, Step, fatal,
};
use crate::generate::place::Place;
use crate::model::xomni::XOmniConfig;
use crate::record::{Item, Task};
use image::RgbImage;
use serde_json::json;
use std::path::Path;

/// The tokenizer and the decoder of a checkpoint.
pub struct Codec {
    settings: XOmniSettings,
    place: Place,
    look: Option<Look>,
    /// The decoding pipeline for pictures of one size.
    chain: Option<(Canvas, Chain)>,
}

impl Codec {
    /// The tokenizer of a checkpoint, which is not opened yet.
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
    /// Fails if the checkpoint cannot be opened, or the picture is outside the limits.
    pub fn encode(&mut self, picture: &RgbImage) -> Result<Codes, GenerateError> {
        let look = match &self.look {
            Some(look) => look,
            None => &*self.look.insert(self.open_look()?),
        };
        look.codes(picture)
    }

    /// The picture of codes. A decoder that reads text gets `prompt`.
    ///
    /// # Errors
    /// Fails if the checkpoint cannot be opened, or if the codes do not form a grid or are not codes of the
    /// checkpoint.
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
        // The pipeline is opened again only for another size. Equal sizes share the loaded networks.
        if self.chain.as_ref().is_none_or(|(size, _)| *size != canvas) {
            self.chain = None;
            self.chain = Some((canvas, self.open_chain(canvas)?));
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

    fn folder(&self) -> CheckpointFolder {
        let dtype = self.settings.precision.on(&self.place.device);
        CheckpointFolder::new(&self.settings.checkpoint, dtype)
    }

    fn open_look(&self) -> Result<Look, GenerateError> {
        let (folder, device) = (self.folder(), &self.place.device);
        let config = XOmniConfig::read(folder.below(OWN).path()).map_err(fatal)?;
        let vision = config.vision().map_err(fatal)?;
        let networks = LookNetworks::new(vision, self.settings.any_image_size, &folder);
        networks.vit.open(folder.shelf(), device)?;
        networks.vq.open(folder.shelf(), device)?;
        Ok(networks.on(device))
    }

    fn open_chain(&self, canvas: Canvas) -> Result<Chain, GenerateError> {
        let folder = self.folder();
        let config = XOmniConfig::read(folder.below(OWN).path()).map_err(fatal)?;
        let vision = config.vision().map_err(fatal)?;
        let PicturePhases { text, last } =
            PicturePhases::read(&self.settings, vision, Ok(canvas), &folder)?;
        let given = Phase::new("tokens", Vec::new(), |_| Ok(Given));
        let phases = [given].into_iter().chain(text).chain(last);
        Chain::open(&[Task::TextToImage], phases.collect(), &folder, &self.place)
    }
}

/// The stage in place of the autoregressive model. The codes are in the item.
struct Given;

impl Given {
    fn ids(request: &Request<'_>) -> Vec<u32> {
        let ids = request.item.extra.get(CODES).cloned().unwrap_or_default();
        serde_json::from_value(ids).unwrap_or_default()
    }
}

impl Stage for Given {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!(["given", Self::ids(request)]);
        Ok(Key::after(before, &shape, &[]))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        codes_step(Self::ids(request))
    }
}
