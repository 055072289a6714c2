//! The `control` generator: answers a probe without a model. Its pictures are the floors and ceilings between
//! which the numbers of models are read, and each shows what one kind of answer alone is worth.

mod caption;
mod maps;
mod pages;
mod pictures;
mod settings;

pub use settings::{Control, ControlSettings};

use super::error::{BuildError, GenerateError};
use super::generator::{Answer, Generated, Generator, Request};
use super::kind::{Resources, SimpleGenerator};
use crate::cancel::Cancel;
use crate::image::decode_file;
use crate::model::weights::fingerprint;
use crate::record::Item;
use caption::Readings;
use image::RgbImage;
use serde_json::{Value, json};

/// Answers with one control.
pub(super) struct ControlGenerator(ControlSettings, Readings);

impl SimpleGenerator for ControlGenerator {
    const NAME: &'static str = "control";
    const ABOUT: &'static str =
        "answers a probe without a model: with the floors and ceilings of its numbers";
    type Settings = ControlSettings;

    fn open(settings: ControlSettings, _: &Resources) -> Result<Self, BuildError> {
        settings.check()?;
        let readings = settings.readings.as_deref().map(Readings::open);
        let readings = readings.transpose()?.unwrap_or_default();
        Ok(Self(settings, readings))
    }

    fn weights(settings: &ControlSettings) -> Option<Value> {
        let run = settings.readings.as_deref()?;
        let hash = fingerprint(&run.join("outputs.jsonl")).ok()?;
        Some(json!({"readings": hash}))
    }

    fn check_settings(settings: ControlSettings) -> Result<(), BuildError> {
        Ok(settings.check()?)
    }
}

impl Generator for ControlGenerator {
    fn generate(
        &mut self,
        request: &Request<'_>,
        _cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        let asked = Asked(request);
        let picture = match self.0.control {
            Control::Clean => asked.expected("clean")?,
            Control::Target => asked.expected("target")?,
            Control::Other => asked.expected("other")?,
            Control::Caption => self.1.drawn(&asked)?,
            Control::Identity => asked.input()?,
            Control::Rescale => {
                let (ladder, level) = asked.step()?;
                crate::image::noise::rescaled(&asked.input()?, ladder, level)
            }
            Control::Smooth => pictures::smoothest(&asked.input()?, &asked.expected("clean")?),
            Control::Blank => pictures::blank(&asked.input()?),
            Control::Jpeg => return Ok(pictures::jpeg(&asked.input()?, self.0.amount_or(75.0))?),
            Control::Shift => pictures::shifted(&asked.input()?, self.0.amount_or(1.0)),
            Control::Scale => pictures::scaled(&asked.input()?, self.0.amount_or(1.05)),
            Control::Exact => maps::exact(&asked)?,
            Control::Inverted => pictures::inverted(&maps::exact(&asked)?),
            Control::ShiftedMap => pictures::shifted(&maps::exact(&asked)?, self.0.amount_or(1.0)),
            Control::ThickMap => maps::thick(&maps::exact(&asked)?),
            Control::SwappedMap => maps::swapped(&asked)?,
            Control::JpegMap => {
                return Ok(pictures::jpeg(
                    &maps::exact(&asked)?,
                    self.0.amount_or(75.0),
                )?);
            }
            Control::CannyMap => maps::canny_at(&asked, self.0.amount_or(50.0))?,
            Control::Jitter | Control::Respell | Control::Swap | Control::Drop => {
                return pages::redrawn(&asked, self.0.control, self.0.amount, request.seed);
            }
            Control::Black => pictures::black(&asked.input()?),
            Control::Gradient => pictures::gradient(&asked.input()?),
        };
        Ok(Answer::Pixels(picture).into())
    }
}

/// What an item gives to a control.
struct Asked<'a>(&'a Request<'a>);

impl Asked<'_> {
    fn item(&self) -> &Item {
        self.0.item
    }

    /// The first input picture.
    fn input(&self) -> Result<RgbImage, GenerateError> {
        let path = self.item().images.first().ok_or_else(|| {
            GenerateError::item(
                "input",
                "this control needs an input picture, but the item has none",
            )
        })?;
        self.open(path)
    }

    /// The picture that `expect` names by a key.
    fn expected(&self, key: &str) -> Result<RgbImage, GenerateError> {
        let path = self.item().expect.get(key).and_then(Value::as_str);
        let path = path.ok_or_else(|| {
            let message = format!("this control needs the item's `expect.{key}`, which is absent");
            GenerateError::item("expect", message)
        })?;
        self.open(path)
    }

    fn open(&self, path: &str) -> Result<RgbImage, GenerateError> {
        Ok(decode_file(&self.0.base.join(path))?.rgb)
    }

    /// The kind and the level of the noise.
    fn step(&self) -> Result<(crate::image::noise::Ladder, f64), GenerateError> {
        let expect = &self.item().expect;
        let kind = expect.get("noise").cloned().map(serde_json::from_value);
        let level = expect.get("level").and_then(Value::as_f64);
        match (kind, level) {
            (Some(Ok(kind)), Some(level)) => Ok((kind, level)),
            _ => Err(GenerateError::item(
                "expect",
                "this control needs the item's `expect.noise` and `expect.level`",
            )),
        }
    }
}
