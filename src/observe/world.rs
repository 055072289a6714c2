//! `world`: what a picture of the miniature world shows ([`crate::world::read`]), as a detector and a reader of text
//! would say it.
//!
//! The evidence has `detections` as `geneval-detector` writes them (each with its `color` and the score 1), `text` with the
//! words of the letters, and `unknown`, the number of parts that are like no form. A picture of another size is resized to
//! 32 × 32 pixels by Pillow's bicubic filter; boxes are in pixels of that.

use super::pictures::output;
use super::{ObserveError, Observer, Subject};
use crate::image::pillow::{Filter, resize};
use crate::world::thing::Form;
use crate::world::{SIDE, read};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const NAME: &str = "world";
/// Raised when the answers change.
const VERSION: u32 = 1;

/// Settings of the observer `world`: none.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorldSettings {}

/// The observer.
pub struct World;

fn look(subject: &Subject<'_>) -> Result<Value, ObserveError> {
    let picture = output(subject, NAME)?;
    let resized = (picture.dimensions() != (SIDE, SIDE))
        .then(|| resize(picture, SIDE, SIDE, Filter::Bicubic));
    let found = read::things(resized.as_ref().unwrap_or(picture));
    let detections: Vec<Value> = found
        .iter()
        .filter_map(|thing| match thing.form {
            Some(Form::Shape(shape)) => Some(json!({
                "class": shape.name(),
                "score": 1.0,
                "box": thing.bbox,
                "color": thing.color.name(),
                "overlap": thing.overlap,
            })),
            _ => None,
        })
        .collect();
    Ok(json!({
        "width": SIDE,
        "height": SIDE,
        "resized": resized.is_some(),
        "detections": detections,
        "unknown": found.iter().filter(|thing| thing.form.is_none()).count(),
        "text": read::text(&found),
    }))
}

impl Observer for World {
    fn name(&self) -> &str {
        NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": NAME, "version": VERSION})
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects.iter().map(look).collect()
    }
}
