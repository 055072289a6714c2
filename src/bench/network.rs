//! A network that can be measured. Everything that is known of it is one value, in the file of the code that
//! measures it.

use super::clock::{Clock, Seconds};
use super::report::Report;
use crate::model::{ModelError, Result, Weights, weights};
use candle_core::{DType, Device, Tensor};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// The sizes of the input.
#[derive(Debug, Clone, Copy)]
pub struct Shapes {
    /// Width and height of the picture, in pixels. `None` means [`NetworkKind::size`].
    pub size: Option<[usize; 2]>,
    /// Number of word tokens in the input.
    pub text_tokens: usize,
    /// Number of tokens that are decoded.
    pub new_tokens: usize,
    /// Number of pictures that are processed at the same time.
    pub batch: usize,
    /// Number of steps of a whole picture. `None` means that only one step is measured.
    pub steps: Option<usize>,
}

/// The description of a network that can be measured.
pub(super) trait TimedNetwork {
    /// The name for `unigauge bench model`.
    const NAME: &'static str;
    /// A configuration that runs in seconds on a CPU, as JSON.
    const SMALL: &'static str;
    /// The configuration of the released checkpoint, as JSON.
    const RELEASED: &'static str;
    /// The default width and height of the picture, in pixels.
    const SIZE: [usize; 2] = [512, 512];
    /// The configuration, in the form of checkpoints.
    type Config: DeserializeOwned;

    /// Builds the network with random weights and measures it.
    ///
    /// # Errors
    /// Fails if the configuration or a size is wrong, or if the device is out of memory.
    fn time(config: &Self::Config, bench: &mut Bench<'_>) -> Result<()>;
}

/// Everything that is known of a network that can be measured.
#[derive(Debug, Clone, Copy)]
pub struct NetworkKind {
    /// The name for `unigauge bench model`.
    pub name: &'static str,
    /// A configuration that runs in seconds on a CPU, as JSON.
    pub small: &'static str,
    /// The configuration of the released checkpoint, as JSON.
    pub released: &'static str,
    /// The default width and height of the picture, in pixels.
    pub size: [usize; 2],
    time: fn(&Value, &Path, &mut Bench<'_>) -> Result<()>,
}

impl NetworkKind {
    /// The kind of a network.
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

    /// Builds the network from a configuration, which is called `file` in errors, and measures it.
    ///
    /// # Errors
    /// Fails if the configuration or a size is wrong, or if the device is out of memory.
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
            batch: shapes.batch,
            steps: shapes.steps,
            dtype,
            clock,
        };
        (self.time)(config, file, &mut bench)?;
        Ok(bench.report.finished())
    }
}

/// A benchmark that is running.
pub(super) struct Bench<'a> {
    /// The results so far.
    pub report: Report,
    /// Width and height of the picture, in pixels.
    pub size: [usize; 2],
    /// Number of word tokens in the input.
    pub text_tokens: usize,
    /// Number of tokens that are decoded.
    pub new_tokens: usize,
    /// Number of pictures that are processed at the same time.
    pub batch: usize,
    /// Number of steps of a whole picture.
    pub steps: Option<usize>,
    /// The number format of weights and activations.
    pub dtype: DType,
    /// The number of repetitions, and the device.
    pub clock: &'a Clock<'a>,
}

impl<'a> Bench<'a> {
    /// The device on which the network runs.
    pub(super) fn device(&self) -> &'a Device {
        self.clock.device
    }

    /// A network with random weights. The number of its parameters is added to that of the report.
    ///
    /// # Errors
    /// Fails when `build` fails, and if the device is out of memory.
    pub(super) fn random<T>(&mut self, build: impl Fn(&Weights) -> Result<T>) -> Result<T> {
        let (network, parameters) = weights::random(self.dtype, self.device(), build)?;
        self.report.parameters += parameters;
        Ok(network)
    }

    /// Normal noise on the device, for an input.
    ///
    /// # Errors
    /// Fails if the device is out of memory.
    pub(super) fn noise(&self, shape: &[usize]) -> Result<Tensor> {
        Ok(Tensor::randn(0f32, 1.0, shape, self.device())?.to_dtype(self.dtype)?)
    }

    /// Adds the size of the picture to the report.
    pub(super) fn note_picture(&mut self) {
        self.note_shape("width", self.size[0]);
        self.note_shape("height", self.size[1]);
    }

    /// Adds the number of pictures that are processed at the same time to the report, if it is not one.
    pub(super) fn note_batch(&mut self) {
        if self.batch != 1 {
            self.note_shape("batch", self.batch);
        }
    }

    /// Adds a size of the input to the report.
    pub(super) fn note_shape(&mut self, name: &'static str, size: usize) {
        self.report.shapes.insert(name, size);
    }

    /// Measures a phase, and adds its seconds to the report.
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

    /// Adds the seconds of a phase to the report, if there are any.
    pub(super) fn note(&mut self, phase: &'static str, seconds: Option<Seconds>) {
        if let Some(seconds) = seconds {
            self.report.phases.insert(phase, seconds);
        }
    }
}

/// The number of tokens of a side, where each token has `pixels` pixels.
///
/// # Errors
/// Fails if the side is not a multiple of `pixels`.
pub(super) fn tokens(side: usize, pixels: usize) -> Result<usize> {
    match side.checked_div(pixels) {
        Some(count) if count > 0 && side.is_multiple_of(pixels) => Ok(count),
        _ => Err(ModelError::Input(format!(
            "a side of {side} pixels is not a multiple of {pixels}, which is the side of one token"
        ))),
    }
}
