//! `edit-similarity`: how similar an edited picture is to its input, its target and its captions, as networks
//! measure it.
//!
//! | key | between | network |
//! |---|---|---|
//! | `clip_i`, `dino`, `lpips`, `structure` | output and input | CLIP, DINO, LPIPS, the keys of DINO's last layer |
//! | `clip_i_target`, `dino_target`, `lpips_target` | output and `expect.target` | the same |
//! | `clip_t` | output and `expect.output_caption` | CLIP |
//! | `clip_dir` | the difference from input to output, and the difference from `expect.input_caption` to `expect.output_caption` | CLIP |
//! | `clip_t_inside` | output, black outside of `expect.mask`, and `expect.output_caption` | CLIP |
//! | `lpips_zeroed` | output and input, both black inside of `expect.mask` | LPIPS |
//!
//! The measures of CLIP and DINO are cosines. LPIPS and structure are distances, which are 0 for equal
//! pictures. LPIPS and structure compare at the size of the input (or the target). A picture of another size
//! is resized by Pillow's bicubic filter. A measure that could not be taken, such as LPIPS without its
//! weights, is named in `absent` with the reason.

mod dino;
mod networks;

pub use networks::{ClipModel, EditSimilaritySettings, Measure};

use super::clip::{ClipEncoder, cosine};
use super::edit_pixels::annotated_mask;
use super::pictures::{
    at_size_of, expected_text, files, input_picture, open_picture, output_pixels,
};
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::image::edit::Mask;
use crate::model::Result;
use crate::model::lpips::Lpips;
use crate::record::Item;
use crate::record::evidence::{Similarities, Similarity, written};
use image::RgbImage;
use networks::Networks;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Mutex;

/// Increases when the numbers change.
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
    fn look(&self, subject: &Subject<'_>) -> std::result::Result<Value, ObserveError> {
        let input = input_picture(subject, Self::NAME)?;
        let size = (input.width() as usize, input.height() as usize);
        let target = expected_text(subject.item, "target");
        let pictures = Pictures {
            output: output_pixels(subject, Self::NAME)?,
            target: target
                .map(|path| open_picture(subject, path, "target picture"))
                .transpose()?,
            mask: annotated_mask(subject, size)?,
            captions: ["input_caption", "output_caption"]
                .map(|key| expected_text(subject.item, key)),
            input,
        };
        let networks = self
            .networks
            .lock()
            .unwrap_or_else(|lock| lock.into_inner());
        let compared = pictures.compare(&networks);
        let compared = compared.map_err(|error| ObserveError::new("network", error.to_string()))?;
        Ok(written(&compared)?)
    }
}

impl Pictures<'_> {
    fn compare(&self, networks: &Networks) -> Result<Similarities> {
        let mut seen = Similarities {
            absent: networks.absent.clone(),
            ..Similarities::default()
        };
        if let Some(clip) = &networks.clip {
            self.clip(clip, &mut seen)?;
        }
        if let Some(dino) = &networks.dino {
            let output = dino.class_state(self.output)?;
            seen.dino = Some(similarity(&output, &dino.class_state(&self.input)?));
            if let Some(target) = &self.target {
                seen.dino_target = Some(similarity(&output, &dino.class_state(target)?));
            }
        }
        let resized = at_size_of(self.output, &self.input);
        let output = resized.as_ref().unwrap_or(self.output);
        if let Some(lpips) = &networks.lpips {
            self.lpips(lpips, output, &mut seen);
        }
        if let Some(structure) = &networks.structure {
            seen.structure = Some(structure.distance(output, &self.input)?);
        }
        Ok(seen)
    }

    /// Takes the distances. `output` has the input's size. A distance that cannot be taken is named in
    /// `absent` with the reason.
    fn lpips(&self, lpips: &Lpips, output: &RgbImage, seen: &mut Similarities) {
        let absent = &mut seen.absent;
        let mut distance = |key: &str, a: &RgbImage, b: &RgbImage| {
            let taken = lpips.distance(a, b);
            if let Err(error) = &taken {
                absent.insert(key.to_owned(), error.to_string().into());
            }
            taken.ok()
        };
        seen.lpips = distance("lpips", output, &self.input);
        if let Some(target) = &self.target {
            let resized = at_size_of(self.output, target);
            let output = resized.as_ref().unwrap_or(self.output);
            seen.lpips_target = distance("lpips_target", output, target);
        }
        if let Some(mask) = &self.mask {
            let outside = mask.inverted();
            let (output, input) = (
                black_outside(output, &outside),
                black_outside(&self.input, &outside),
            );
            seen.lpips_zeroed = distance("lpips_zeroed", &output, &input);
        }
        seen.lpips_net = Some(lpips.net().name());
    }

    fn clip(&self, clip: &ClipEncoder, seen: &mut Similarities) -> Result<()> {
        let output = clip.image(self.output)?;
        let input = clip.image(&self.input)?;
        seen.clip_i = Some(similarity(&output, &input));
        if let Some(target) = &self.target {
            seen.clip_i_target = Some(similarity(&output, &clip.image(target)?));
        }
        let [before, after] = self.captions;
        let Some(after) = after else { return Ok(()) };
        let after = clip.text(after)?;
        seen.clip_t = Some(similarity(&output, &after));
        if let Some(before) = before {
            let way = |from: &[f32], to: &[f32]| -> Vec<f32> {
                to.iter().zip(from).map(|(to, from)| to - from).collect()
            };
            let (picture, text) = (way(&input, &output), way(&clip.text(before)?, &after));
            seen.clip_dir = Some(similarity(&picture, &text));
        }
        if let Some(mask) = &self.mask {
            let resized = at_size_of(self.output, &self.input);
            let inside = black_outside(resized.as_ref().unwrap_or(self.output), mask);
            seen.clip_t_inside = Some(similarity(&clip.image(&inside)?, &after));
        }
        Ok(())
    }
}

/// The cosine of two vectors. It is null if one of them has the length 0, such as the difference of two equal
/// pictures.
fn similarity(a: &[f32], b: &[f32]) -> Similarity {
    let length = f64::from(cosine(a, a)).sqrt() * f64::from(cosine(b, b)).sqrt();
    Similarity((length > 0.0).then(|| f64::from(cosine(a, b)) / length))
}

/// The picture, black outside of the region.
fn black_outside(image: &RgbImage, region: &Mask) -> RgbImage {
    let mut image = image.clone();
    let pixels = image.pixels_mut().zip(region.pixels());
    for (pixel, _) in pixels.filter(|(_, inside)| !**inside) {
        pixel.0 = [0; 3];
    }
    image
}

impl Described for EditSimilarity {
    type Settings = EditSimilaritySettings;
    const NAME: &'static str = "edit-similarity";
    const ABOUT: &'static str = "how similar an edited picture is to its input, its target and its captions, as CLIP, DINO and LPIPS measure it";
    const ON_DEVICE: bool = true;

    fn assets(_: &Settings) -> std::result::Result<Vec<&'static str>, BuildError> {
        Ok(ASSETS.into())
    }

    fn checkpoints(settings: &Settings) -> std::result::Result<Vec<PathBuf>, BuildError> {
        let settings: EditSimilaritySettings = settings.read()?;
        let named = [
            settings.clip,
            settings.dino,
            settings.structure,
            settings.lpips_trunk,
            settings.lpips_linear,
        ];
        Ok(named.into_iter().flatten().collect())
    }

    fn open(
        settings: EditSimilaritySettings,
        means: &Means<'_>,
    ) -> std::result::Result<Self, BuildError> {
        let networks = Networks::open(&settings, means.hub, &means.device()?)?;
        Ok(Self {
            identity: json!({"observer": Self::NAME, "version": VERSION, "networks": networks.identity}),
            networks: Mutex::new(networks),
        })
    }
}

impl Observer for EditSimilarity {
    fn name(&self) -> &str {
        Self::NAME
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
