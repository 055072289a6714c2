//! `edit-similarity`: how near an edited picture is to its input, its target and its captions, to networks.
//!
//! | key | between | network |
//! |---|---|---|
//! | `clip_i`, `dino`, `lpips`, `structure` | output and input | CLIP, DINO, LPIPS, the keys of DINO's last layer |
//! | `clip_i_target`, `dino_target`, `lpips_target` | output and `expect.target` | the same |
//! | `clip_t` | output and `expect.output_caption` | CLIP |
//! | `clip_dir` | the ways from input to output and from `expect.input_caption` to `expect.output_caption` | CLIP |
//! | `clip_t_inside` | output, black outside of `expect.mask`, and `expect.output_caption` | CLIP |
//! | `lpips_zeroed` | output and input, both black inside of `expect.mask` | LPIPS |
//!
//! CLIP's and DINO's are cosines, LPIPS and structure are distances: 0 is the same. LPIPS and structure compare at the
//! input's (or target's) size; a picture of another size is resized by Pillow's bicubic filter. A measure that could not be
//! taken, such as LPIPS where its weights are not, stands in `absent` with the reason.

mod dino;
mod networks;

pub use networks::{ClipModel, EditSimilaritySettings, Measure};

use super::clip::cosine;
use super::edit_pixels::annotation;
use super::pictures::{at_size_of, files, input, open, output, path};
use super::{BuildError, ObserveError, Observer, Subject};
use crate::hub::Hub;
use crate::image::edit::Mask;
use crate::model::Result;
use crate::record::Item;
use candle_core::Device;
use image::RgbImage;
use networks::Networks;
use serde_json::{Map, Value, json};
use std::sync::Mutex;

const NAME: &str = "edit-similarity";
/// Raised when the numbers change.
const VERSION: u32 = 1;

/// What the observer needs from the hub by default.
pub const ASSETS: [&str; 5] = [
    "clip-vit-b-32",
    "clip-vit-b-32-config",
    "clip-vit-b-32-tokenizer",
    "dino-vits16",
    "dino-vits16-config",
];

/// The observer.
pub struct EditSimilarity {
    networks: Mutex<Networks>,
    identity: Value,
}

/// What one output is compared with.
struct Pictures<'a> {
    output: &'a RgbImage,
    input: RgbImage,
    target: Option<RgbImage>,
    mask: Option<Mask>,
    captions: [Option<&'a str>; 2],
}

impl EditSimilarity {
    /// Finds and loads the networks.
    ///
    /// # Errors
    /// When an asset cannot be had or a checkpoint is damaged.
    pub fn open(
        settings: &EditSimilaritySettings,
        hub: &Hub,
        device: &Device,
    ) -> std::result::Result<Self, BuildError> {
        let networks = Networks::open(settings, hub, device)?;
        Ok(Self {
            identity: json!({"observer": NAME, "version": VERSION, "networks": networks.identity}),
            networks: Mutex::new(networks),
        })
    }

    fn look(&self, subject: &Subject<'_>) -> std::result::Result<Value, ObserveError> {
        let input = input(subject, NAME)?;
        let size = (input.width() as usize, input.height() as usize);
        let target = path(subject.item, "target");
        let pictures = Pictures {
            output: output(subject, NAME)?,
            target: target
                .map(|path| open(subject, path, "target picture"))
                .transpose()?,
            mask: annotation(subject, size)?,
            captions: ["input_caption", "output_caption"].map(|key| path(subject.item, key)),
            input,
        };
        let networks = self
            .networks
            .lock()
            .unwrap_or_else(|lock| lock.into_inner());
        pictures
            .compare(&networks)
            .map_err(|error| ObserveError::new("network", error.to_string()))
    }
}

impl Pictures<'_> {
    fn compare(&self, networks: &Networks) -> Result<Value> {
        let mut seen = Map::new();
        let mut absent = networks.absent.clone();
        self.clip(networks, &mut seen)?;
        if let Some(dino) = &networks.dino {
            let output = dino.state(self.output)?;
            seen.insert("dino".into(), near(&output, &dino.state(&self.input)?));
            if let Some(target) = &self.target {
                seen.insert("dino_target".into(), near(&output, &dino.state(target)?));
            }
        }
        let resized = at_size_of(self.output, &self.input);
        let output = resized.as_ref().unwrap_or(self.output);
        if let Some(lpips) = &networks.lpips {
            let mut distance = |key: &str, a: &RgbImage, b: &RgbImage| {
                match lpips.distance(a, b) {
                    Ok(distance) => seen.insert(key.to_owned(), json!(distance)),
                    Err(error) => absent.insert(key.to_owned(), error.to_string().into()),
                };
            };
            distance("lpips", output, &self.input);
            if let Some(target) = &self.target {
                let resized = at_size_of(self.output, target);
                distance(
                    "lpips_target",
                    resized.as_ref().unwrap_or(self.output),
                    target,
                );
            }
            if let Some(mask) = &self.mask {
                let outside = mask.inverted();
                distance(
                    "lpips_zeroed",
                    &only(output, &outside),
                    &only(&self.input, &outside),
                );
            }
            seen.insert("lpips_net".into(), lpips.net().name().into());
        }
        if let Some(structure) = &networks.structure {
            let distance = structure.distance(output, &self.input)?;
            seen.insert("structure".into(), json!(distance));
        }
        if !absent.is_empty() {
            seen.insert("absent".into(), absent.into());
        }
        Ok(seen.into())
    }

    fn clip(&self, networks: &Networks, seen: &mut Map<String, Value>) -> Result<()> {
        let Some(clip) = &networks.clip else {
            return Ok(());
        };
        let output = clip.image(self.output)?;
        let input = clip.image(&self.input)?;
        seen.insert("clip_i".into(), near(&output, &input));
        if let Some(target) = &self.target {
            seen.insert("clip_i_target".into(), near(&output, &clip.image(target)?));
        }
        let [before, after] = self.captions;
        let Some(after) = after else { return Ok(()) };
        let after = clip.text(after)?;
        seen.insert("clip_t".into(), near(&output, &after));
        if let Some(before) = before {
            let way = |from: &[f32], to: &[f32]| -> Vec<f32> {
                to.iter().zip(from).map(|(to, from)| to - from).collect()
            };
            let (picture, text) = (way(&input, &output), way(&clip.text(before)?, &after));
            seen.insert("clip_dir".into(), near(&picture, &text));
        }
        if let Some(mask) = &self.mask {
            let resized = at_size_of(self.output, &self.input);
            let inside = only(resized.as_ref().unwrap_or(self.output), mask);
            seen.insert("clip_t_inside".into(), near(&clip.image(&inside)?, &after));
        }
        Ok(())
    }
}

/// The cosine of two vectors; null when one has no length, as the way between two equal pictures.
fn near(a: &[f32], b: &[f32]) -> Value {
    let length = f64::from(cosine(a, a)).sqrt() * f64::from(cosine(b, b)).sqrt();
    match length > 0.0 {
        true => json!(f64::from(cosine(a, b)) / length),
        false => Value::Null,
    }
}

/// The picture with all black but the region.
fn only(image: &RgbImage, region: &Mask) -> RgbImage {
    let mut image = image.clone();
    let pixels = image.pixels_mut().zip(region.pixels());
    for (pixel, _) in pixels.filter(|(_, inside)| !**inside) {
        pixel.0 = [0; 3];
    }
    image
}

impl Observer for EditSimilarity {
    fn name(&self) -> &str {
        NAME
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn asked(&self, item: &Item) -> Value {
        let keys = ["mask", "input_caption", "output_caption"];
        json!([files(item), keys.map(|key| item.expect.get(key))])
    }

    fn files(&self, item: &Item) -> Vec<String> {
        files(item)
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<std::result::Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}
