//! `maps`: how near a map that a model drew of a picture is to the exact one.
//!
//! `expect.kind` says what the map shows, and `expect.reference` is the exact map, or `canny`, which is made
//! from the input:
//!
//! | kind | the map | further keys of `expect` |
//! |---|---|---|
//! | `canny` | Canny's edges, white on black | `channels`, `bounds` |
//! | `from-canny` | nothing: the input is a Canny map, and the output a picture of it, whose edges are compared with the map | `channels`, `bounds` |
//! | `edges` | lines, white on black | |
//! | `segment` | a colour for each class | `palette` |
//! | `depth` | near is bright | `instances` (the number of the layer of each pixel, from 0 for the farthest) and `layers` (how many), or `metres` (16 bits, in millimetres) and `z_max` |
//! | `mask` | the input with a colour over a part of it | `mask`, `mark` (the colour) |
//!
//! An output of another size is resized to the input's: by Pillow's bicubic filter, or by the nearest pixel if
//! colours are classes.

mod depth;
mod edges;
mod segments;

use super::pictures::{at_size_of, expected_text, input_picture, open_picture, output_pixels};
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::image::cv::{Channels, canny};
use crate::image::edit::Mask;
use crate::record::Item;
use crate::record::evidence::{MapMeasures, written};
use image::{Rgb, RgbImage};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Increases when the numbers change.
const VERSION: u32 = 1;
/// The value of `expect.reference` if the map is Canny's edges of the input.
const CANNY: &str = "canny";
/// Canny's usual bounds.
const BOUNDS: [u32; 2] = [100, 200];
/// The keys of `expect` that may name a picture.
const NAMED: [&str; 4] = ["reference", "instances", "mask", "metres"];

/// Settings of the observer `maps`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MapsSettings {
    /// The tolerance of edges in pixels. Default: 0.75 % of the diagonal, at least 1.
    pub radius: Option<f64>,
}

/// The observer.
pub struct Maps(MapsSettings);

impl Maps {
    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let output = output_pixels(subject, Self::NAME)?;
        let input = input_picture(subject, Self::NAME)?;
        let kind = expected_text(subject.item, "kind").unwrap_or_default();
        let mut measures = MapMeasures {
            map: kind.to_owned(),
            width: input.width(),
            height: input.height(),
            resized: output.dimensions() != input.dimensions(),
            ..MapMeasures::default()
        };
        match kind {
            "canny" | "edges" => {
                let reference = reference_edges(subject, &input)?;
                let seed = seed_of(&subject.item.item);
                measures.edges = Some(edges::measure(output, &reference, self.0.radius, seed));
            }
            "from-canny" => {
                let shown = at_size_of(output, &input);
                let drawn = canny_of(subject, shown.as_ref().unwrap_or(output))?;
                let seed = seed_of(&subject.item.item);
                let edges = edges::measure(&painted(&drawn), &white(&input), self.0.radius, seed);
                measures.edges = Some(edges);
            }
            "segment" => {
                let truth = open_map(subject, "reference", &input)?;
                let palette: Vec<[u8; 3]> = required(subject.item, "palette")?;
                let found = segments::measure(output, &truth, &palette, self.0.radius);
                measures.segments = Some(found);
            }
            "depth" => measures.depth = Some(depth::measure(subject, output, &input)?),
            "mask" => {
                let mask = open_map(subject, "mask", &input)?;
                let mark: [u8; 3] = required(subject.item, "mark")?;
                measures.mask_iou = segments::marked(output, &input, &mask, mark);
            }
            other => {
                return Err(ObserveError::new(
                    "input",
                    format!(
                        "`expect.kind` is `{other}`; it must be `canny`, `from-canny`, `edges`, `segment`, `depth` or `mask`"
                    ),
                ));
            }
        }
        Ok(written(&measures)?)
    }
}

/// The exact edges of an item.
fn reference_edges(subject: &Subject<'_>, input: &RgbImage) -> Result<Mask, ObserveError> {
    if expected_text(subject.item, "reference") == Some(CANNY) {
        return canny_of(subject, input);
    }
    Ok(white(&open_map(subject, "reference", input)?))
}

/// Canny's edges of a picture, with the settings of an item.
fn canny_of(subject: &Subject<'_>, picture: &RgbImage) -> Result<Mask, ObserveError> {
    let channels: Option<Channels> = optional(subject.item, "channels")?;
    let bounds: Option<[u32; 2]> = optional(subject.item, "bounds")?;
    Ok(canny(
        picture,
        channels.unwrap_or_default(),
        bounds.unwrap_or(BOUNDS),
    ))
}

/// The bright pixels of a map.
fn white(map: &RgbImage) -> Mask {
    let (width, height) = (map.width() as usize, map.height() as usize);
    Mask::from_fn(width, height, |x, y| {
        map.get_pixel(x as u32, y as u32).0[0] > 127
    })
}

/// A mask as white lines on black.
fn painted(mask: &Mask) -> RgbImage {
    let (width, height) = (mask.width() as u32, mask.height() as u32);
    RgbImage::from_fn(width, height, |x, y| {
        let place = y as usize * mask.width() + x as usize;
        Rgb([if mask.pixels()[place] { u8::MAX } else { 0 }; 3])
    })
}

/// A picture of `expect` that must have the size of the input.
fn open_map(subject: &Subject<'_>, key: &str, input: &RgbImage) -> Result<RgbImage, ObserveError> {
    let path = expected_text(subject.item, key).ok_or_else(|| absent(key))?;
    let map = open_picture(subject, path, key)?;
    if map.dimensions() != input.dimensions() {
        let (width, height) = input.dimensions();
        return Err(ObserveError::new(
            "input",
            format!(
                "`expect.{key}` has {}x{} pixels, but the input has {width}x{height}",
                map.width(),
                map.height()
            ),
        ));
    }
    Ok(map)
}

fn absent(key: &str) -> ObserveError {
    ObserveError::new("input", format!("the item has no `expect.{key}`"))
}

/// A value of `expect`. `None` if it is absent.
fn optional<T: DeserializeOwned>(item: &Item, key: &str) -> Result<Option<T>, ObserveError> {
    let value = item.expect.get(key).filter(|value| !value.is_null());
    let value = value.cloned().map(serde_json::from_value);
    value
        .transpose()
        .map_err(|error| ObserveError::new("input", format!("`expect.{key}`: {error}")))
}

/// A value of `expect` that must be there.
fn required<T: DeserializeOwned>(item: &Item, key: &str) -> Result<T, ObserveError> {
    optional(item, key)?.ok_or_else(|| absent(key))
}

/// A number that follows from an id (FNV-1a).
fn seed_of(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Described for Maps {
    type Settings = MapsSettings;
    const NAME: &'static str = "maps";
    const ABOUT: &'static str = "how near a map that a model drew is to the exact map";

    fn open(settings: MapsSettings, _: &Means<'_>) -> Result<Self, BuildError> {
        match settings.radius {
            Some(radius) if !(0.0..=100.0).contains(&radius) => Err(BuildError::Value {
                mistake: format!(
                    "observe.{}: `radius` is {radius}; it must be 0 to 100 pixels",
                    Self::NAME
                ),
            }),
            _ => Ok(Self(settings)),
        }
    }
}

impl Observer for Maps {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": Self::NAME, "version": VERSION, "settings": self.0})
    }

    fn asked(&self, item: &Item) -> Value {
        Value::Object(item.expect.clone())
    }

    fn files(&self, item: &Item) -> Vec<String> {
        let named = NAMED.iter().filter_map(|key| expected_text(item, key));
        let named = named.filter(|path| *path != CANNY);
        let inputs = item.compared_with().into_iter().take(1);
        inputs.chain(named).map(str::to_owned).collect()
    }

    fn batch(&self) -> usize {
        4
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects
            .par_iter()
            .map(|subject| self.look(subject))
            .collect()
    }
}
