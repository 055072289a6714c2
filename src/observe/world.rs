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
use crate::world::read::{Eyes, Found};
use crate::world::thing::Form;
use crate::world::{SIDE, read};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Increases when the answers change.
const VERSION: u32 = 1;

/// Settings of the observer `world`. Other values than the defaults are for networks that were trained by
/// the defaults. They show whether such a network has learnt what was asked for, or only to please the
/// observer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorldSettings {
    /// The least intersection over union of a part of the picture with the form that it is taken for, 0 to 1.
    /// A part below it has no form, and counts as `unknown`.
    pub overlap: f64,
    /// The distance from grey above which a pixel belongs to a thing, 0 to 441, in 8-bit RGB values.
    pub far: f64,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            overlap: 0.62,
            far: 56.0,
        }
    }
}

impl WorldSettings {
    fn eyes(self) -> Eyes {
        Eyes {
            far: self.far as f32,
            overlap: self.overlap as f32,
        }
    }

    /// The first setting that is out of its range, in words.
    fn mistake(self) -> Option<String> {
        let settings = [("overlap", self.overlap, 1.0), ("far", self.far, FARTHEST)];
        let wrong = settings
            .into_iter()
            .find(|(_, value, most)| !(0.0..=*most).contains(value));
        wrong.map(|(name, value, most)| {
            let observer = World::NAME;
            format!("observe.{observer}: `{name}` is {value}; it must be 0 to {most}")
        })
    }
}

/// The largest distance between two colours, rounded down.
const FARTHEST: f64 = 441.0;

/// The observer.
pub struct World(WorldSettings);

fn look(subject: &Subject<'_>, eyes: Eyes) -> Result<Value, ObserveError> {
    let picture = output_pixels(subject, World::NAME)?;
    let resized = (picture.dimensions() != (SIDE, SIDE))
        .then(|| resize(picture, SIDE, SIDE, Filter::Bicubic));
    let found = read::things_by(resized.as_ref().unwrap_or(picture), eyes);
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

    fn open(settings: WorldSettings, _: &Means<'_>) -> Result<Self, BuildError> {
        match settings.mistake() {
            Some(mistake) => Err(BuildError::Value { mistake }),
            None => Ok(Self(settings)),
        }
    }
}

impl Observer for World {
    fn name(&self) -> &str {
        Self::NAME
    }

    /// Evidence of earlier versions has no settings, so the defaults are left out.
    fn identity(&self) -> Value {
        let mut identity = json!({"observer": Self::NAME, "version": VERSION});
        if self.0 != WorldSettings::default() {
            identity["settings"] = json!(self.0);
        }
        identity
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        let eyes = self.0.eyes();
        subjects.iter().map(|subject| look(subject, eyes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_settings_are_the_plain_eyes() {
        let plain = WorldSettings::default();
        assert_eq!((plain.overlap, plain.far), (0.62, 56.0));
        assert_eq!(plain.eyes(), Eyes::PLAIN);
        let identity = json!({"observer": "world", "version": 1});
        assert_eq!(World(plain).identity(), identity);
    }

    #[test]
    fn other_settings_are_other_eyes_and_part_of_the_identity() {
        let other = WorldSettings {
            overlap: 0.72,
            far: 40.0,
        };
        assert_eq!(other.eyes(), Eyes::OTHER);
        let settings = json!({"overlap": 0.72, "far": 40.0});
        assert_eq!(World(other).identity()["settings"], settings);
    }

    #[test]
    fn settings_outside_their_ranges_are_refused() {
        let mistake = |overlap, far| WorldSettings { overlap, far }.mistake();
        assert_eq!(mistake(0.0, 441.0), None);
        let told = "observe.world: `overlap` is 1.5; it must be 0 to 1";
        assert_eq!(mistake(1.5, 40.0).as_deref(), Some(told));
        let told = "observe.world: `far` is -1; it must be 0 to 441";
        assert_eq!(mistake(0.7, -1.0).as_deref(), Some(told));
        assert!(mistake(f64::NAN, 40.0).is_some());
    }
}
