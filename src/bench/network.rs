//! A network that can be timed: everything that is known of it, in one value made beside the code that times
//! it.

use super::clock::{Clock, Seconds};
use super::report::Report;
use crate::model::{ModelError, Result, Weights, weights};
use candle_core::{DType, Device, Tensor};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// Sizes of the input.
#[derive(Debug, Clone, Copy)]
pub struct Shapes {
    /// Width and height of the picture in pixels; none takes [`NetworkKind::size`].
    pub size: Option<[usize; 2]>,
    /// Tokens of words in the input.
    pub text_tokens: usize,
    /// Tokens that are decoded.
    pub new_tokens: usize,
}

/// The description of a network that can be timed.
pub(super) trait TimedNetwork {
    /// The name that `unigauge bench model` takes.
    const NAME: &'static str;
    /// A configuration that runs in seconds on a CPU, as JSON.
    const SMALL: &'static str;
    /// The configuration of the released checkpoint, as JSON.
    const RELEASED: &'static str;
    /// Width and height in pixels of the picture where the command line says nothing.
    const SIZE: [usize; 2] = [512, 512];
    /// The configuration, as checkpoints have it.
    type Config: DeserializeOwned;

    /// Builds the network with random weights and times it.
    ///
    /// # Errors
    /// Fails if the configuration or a size has a mistake, or the device has no room.
    fn time(config: &Self::Config, bench: &mut Bench<'_>) -> Result<()>;
}

/// Everything that is known of a network that can be timed.
#[derive(Debug, Clone, Copy)]
pub struct NetworkKind {
    /// The name that `unigauge bench model` takes.
    pub name: &'static str,
    /// A configuration that runs in seconds on a CPU, as JSON.
    pub small: &'static str,
    /// The configuration of the released checkpoint, as JSON.
    pub released: &'static str,
    /// Width and height in pixels of the picture where the command line says nothing.
    pub size: [usize; 2],
    time: fn(&Value, &Path, &mut Bench<'_>) -> Result<()>,
}

impl NetworkKind {
    /// The kind that a network describes.
    pub(super) const fn timed<N: TimedNetwork>() -> Self {
        Self {
            name: N::NAME,
            small: N::SMALL,
            released: N::RELEASED,
            size: N::SIZE,
            time: |config, file, bench| {
                let config: N::Config = serde_json::from_value(config.clone())
                    .map_err(|error| ModelError::config(file, error.to_string()))?;
                N::time(&config, bench)
            },
        }
    }

    /// Builds the network from a configuration (`file` is named in errors) and times it.
    ///
    /// # Errors
    /// Fails if the configuration or a size has a mistake, or the device has no room.
    pub fn run(
        &self,
        config: &Value,
        file: &Path,
        shapes: Shapes,
        dtype: DType,
        clock: &Clock<'_>,
    ) -> Result<Report> {
        let device = format!("{:?}", clock.device.location()).to_lowercase();
        let mut bench = Bench {
            report: Report::new(self.name, config.clone(), device, dtype.as_str()),
            size: shapes.size.unwrap_or(self.size),
            text_tokens: shapes.text_tokens,
            new_tokens: shapes.new_tokens,
            dtype,
            clock,
        };
        (self.time)(config, file, &mut bench)?;
        Ok(bench.report.finished())
    }
}

/// One benchmark on its way.
pub(super) struct Bench<'a> {
    /// What was measured so far.
    pub report: Report,
    /// Width and height of the picture in pixels.
    pub size: [usize; 2],
    /// Tokens of words in the input.
    pub text_tokens: usize,
    /// Tokens that are decoded.
    pub new_tokens: usize,
    /// The number format of weights and activations.
    pub dtype: DType,
    /// How often a phase is repeated, and the device.
    pub clock: &'a Clock<'a>,
}

impl<'a> Bench<'a> {
    /// The device that the network runs on.
    pub(super) fn device(&self) -> &'a Device {
        self.clock.device
    }

    /// A network with random weights, whose parameters are added to the report's.
    ///
    /// # Errors
    /// Fails when `build` fails, and if the device has no room.
    pub(super) fn random<T>(&mut self, build: impl Fn(&Weights) -> Result<T>) -> Result<T> {
        let (network, parameters) = weights::random(self.dtype, self.device(), build)?;
        self.report.parameters += parameters;
        Ok(network)
    }

    /// Normal noise on the device, as an input.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(super) fn noise(&self, shape: &[usize]) -> Result<Tensor> {
        Ok(Tensor::randn(0f32, 1.0, shape, self.device())?.to_dtype(self.dtype)?)
    }

    /// Notes the size of the picture.
    pub(super) fn note_picture(&mut self) {
        self.note_shape("width", self.size[0]);
        self.note_shape("height", self.size[1]);
    }

    /// Notes a size of the input.
    pub(super) fn note_shape(&mut self, name: &'static str, size: usize) {
        self.report.shapes.insert(name, size);
    }

    /// Times a phase and notes its seconds.
    ///
    /// # Errors
    /// Fails when `work` fails.
    pub(super) fn time<T>(
        &mut self,
        phase: &'static str,
        work: impl FnMut() -> Result<T>,
    ) -> Result<()> {
        let seconds = self.clock.time(phase, work)?;
        self.note(phase, seconds);
        Ok(())
    }

    /// Notes the seconds of a phase, where there are any.
    pub(super) fn note(&mut self, phase: &'static str, seconds: Option<Seconds>) {
        if let Some(seconds) = seconds {
            self.report.phases.insert(phase, seconds);
        }
    }
}

/// A side in tokens that span `pixels` each.
///
/// # Errors
/// Fails if the side is not a multiple of them.
pub(super) fn tokens(side: usize, pixels: usize) -> Result<usize> {
    match side.checked_div(pixels) {
        Some(count) if count > 0 && side.is_multiple_of(pixels) => Ok(count),
        _ => Err(ModelError::Input(format!(
            "a side of {side} pixels is not a multiple of {pixels}, the side of one token"
        ))),
    }
}
