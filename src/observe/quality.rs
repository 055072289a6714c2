//! `quality`: a picture's technical quality without a learned model ([`crate::image::quality`]), for the rule
//! `measure`.

use super::pictures::output_pixels;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::image::pillow::{Filter, resize};
use crate::image::quality::Quality;
use crate::record::evidence::{self, written};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Increases when the numbers change.
const VERSION: u32 = 1;

/// Settings of the observer `quality`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QualitySettings {
    /// The shorter side, in pixels, to which pictures are first resized by Pillow's bicubic filter, since
    /// sharpness and noise depend on the size. Without it, pictures are measured as they are. The evidence
    /// names the size.
    pub short_side: Option<u32>,
}

/// The observer.
pub struct QualityObserver(QualitySettings);

impl QualityObserver {
    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let image = output_pixels(subject, Self::NAME)?;
        let (width, height) = image.dimensions();
        let short = width.min(height);
        let side = self.0.short_side.filter(|side| *side != short);
        let resized = side.map(|side| {
            let scaled = |length: u32| {
                let length = u64::from(length) * u64::from(side) / u64::from(short);
                u32::try_from(length).unwrap_or(u32::MAX)
            };
            (scaled(width), scaled(height))
        });
        let resized = match resized {
            Some((width, height))
                if u64::from(width) * u64::from(height) > crate::image::MAX_PIXELS =>
            {
                return Err(ObserveError::new(
                    "image",
                    format!(
                        "the picture is too narrow: after resizing, it would have {width}x{height} pixels"
                    ),
                ));
            }
            Some((width, height)) => Some(resize(image, width, height, Filter::Bicubic)),
            None => None,
        };
        let image = resized.as_ref().unwrap_or(image);
        Ok(written(&evidence::Quality {
            measures: Quality::measure(image),
            width: image.width(),
            height: image.height(),
        })?)
    }
}

impl Described for QualityObserver {
    type Settings = QualitySettings;
    const NAME: &'static str = "quality";
    const ABOUT: &'static str = "a picture's technical quality without a learned model";

    fn open(settings: QualitySettings, _: &Means<'_>) -> Result<Self, BuildError> {
        if let Some(side) = settings.short_side
            && !(16..=8192).contains(&side)
        {
            let mistake = format!(
                "observe.{}: `short_side` is {side}; it must be 16 to 8192 pixels",
                Self::NAME
            );
            return Err(BuildError::Value { mistake });
        }
        Ok(Self(settings))
    }
}

impl Observer for QualityObserver {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": Self::NAME, "version": VERSION, "settings": self.0})
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
