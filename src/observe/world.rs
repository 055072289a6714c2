//! `world`: what a picture of the miniature world shows ([`crate::world::read`]), in the form of a detector
//! and a reader of text.
//!
//! The evidence has `detections` as `geneval-detector` writes them (each with its `color` and the score 1),
//! `text` with the words of the letters, and `unknown`, the number of parts that match no form. A picture of
//! another size is resized to 32 × 32 pixels by Pillow's bicubic filter, and boxes are in pixels of the
//! resized picture.

use super::pictures::output_pixels;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::image::pillow::{Filter, resize};
use crate::record::evidence::{Detection, Detections, Field, Text, written};
use crate::world::read::Found;
use crate::world::thing::Form;
use crate::world::{SIDE, read};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Increases when the answers change.
const VERSION: u32 = 1;

/// Settings of the observer `world`: none.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorldSettings {}

/// The observer.
pub struct World;

fn look(subject: &Subject<'_>) -> Result<Value, ObserveError> {
    let picture = output_pixels(subject, World::NAME)?;
    let resized = (picture.dimensions() != (SIDE, SIDE))
        .then(|| resize(picture, SIDE, SIDE, Filter::Bicubic));
    let found = read::things(resized.as_ref().unwrap_or(picture));
    let unknown = found.iter().filter(|thing| thing.form.is_none());
    let seen = Detections {
        width: SIDE,
        height: SIDE,
        resized: Some(resized.is_some()),
        detections: found
            .iter()
            .filter_map(detection)
            .collect::<Vec<_>>()
            .into(),
        unknown: Some(unknown.count()),
        text: Some(read::text(&found).into()),
    };
    Ok(written(&seen)?)
}

/// A thing as a detected object. `None` for letters and for parts that match no form.
fn detection(thing: &Found) -> Option<Field<Detection<'static, [u32; 4]>>> {
    let Some(Form::Shape(shape)) = thing.form else {
        return None;
    };
    let object = Detection {
        class: Text::from(shape.name()).into(),
        score: 1.0.into(),
        bbox: thing.bbox.into(),
        color: Text::from(thing.color.name()).into(),
        color_scores: None,
        overlap: Some(thing.overlap.into()),
    };
    Some(object.into())
}

impl Described for World {
    type Settings = WorldSettings;
    const NAME: &'static str = "world";
    const ABOUT: &'static str = "the things and words in a picture of the miniature world";

    fn open(_: WorldSettings, _: &Means<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Observer for World {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": Self::NAME, "version": VERSION})
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects.iter().map(look).collect()
    }
}
