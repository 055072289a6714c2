//! Networks that come and go: weights on disk, loaded for a phase, dropped after it.

use crate::generate::GenerateError;
use crate::model::flux::bfl;
use crate::model::flux_vae;
use crate::model::weights::{Checked, Files, load};
use crate::model::{ModelError, Weights};
use candle_core::{DType, Device};
use std::path::Path;
use std::sync::Arc;

type Build<T> = dyn Fn(&Weights) -> Result<T, ModelError> + Send;

/// A network that can be loaded from files.
pub struct Network<T> {
    files: Arc<Files>,
    dtype: DType,
    device: Device,
    build: Box<Build<T>>,
    loaded: Option<T>,
    bytes: u64,
}

impl<T> Network<T> {
    /// Opens the weights in a folder or file, builds nothing.
    ///
    /// # Errors
    /// When the files are absent or damaged.
    pub fn open(
        path: &Path,
        dtype: DType,
        device: &Device,
        build: impl Fn(&Weights) -> Result<T, ModelError> + Send + 'static,
    ) -> Result<Self, GenerateError> {
        let files = Arc::new(Files::open(path).map_err(fatal)?);
        Self::of(files, dtype, device, build)
    }

    /// As [`Self::open`], of files that another network has opened.
    ///
    /// # Errors
    /// When the weights do not fit the configuration.
    pub fn of(
        files: Arc<Files>,
        dtype: DType,
        device: &Device,
        build: impl Fn(&Weights) -> Result<T, ModelError> + Send + 'static,
    ) -> Result<Self, GenerateError> {
        let asked = crate::model::weights::audit(Some(files.clone()), &build).map_err(fatal)?;
        let elements: usize = asked
            .iter()
            .map(|tensor| tensor.shape.iter().product::<usize>())
            .sum();
        Ok(Self {
            files,
            dtype,
            device: device.clone(),
            build: Box::new(build),
            loaded: None,
            bytes: (elements * dtype.size_in_bytes()) as u64,
        })
    }

    /// Memory of the weights, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn is_loaded(&self) -> bool {
        self.loaded.is_some()
    }

    /// Loads the weights if they are not there. With `check` the files are only looked at, and nothing is loaded.
    ///
    /// # Errors
    /// When they are wrong, or the device has no room for them.
    pub fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        if let Some(how) = check {
            return self.read(&self.files.checked(how)).map(drop);
        }
        if self.loaded.is_none() {
            self.loaded = Some(self.read(&self.files)?);
        }
        Ok(())
    }

    fn read(&self, files: &Arc<Files>) -> Result<T, GenerateError> {
        // The authors of FLUX and the library diffusers publish the same weights under other names.
        let load = if bfl::is_bfl(files) {
            bfl::load
        } else if flux_vae::bfl::is_bfl(files) {
            flux_vae::bfl::load
        } else {
            load
        };
        load(files, self.dtype, &self.device, &self.build).map_err(|error| match &error {
            ModelError::Candle(cause) if out_of_memory(cause) => GenerateError::fatal(
                format!(
                    "{}: no room for {} of weights: {cause}",
                    files.path().display(),
                    bytesize::ByteSize(self.bytes)
                ),
                "set `--vram-budget` to less than the free memory of the device, so that networks take turns",
            ),
            _ => fatal(error),
        })
    }

    pub fn unload(&mut self) {
        self.loaded = None;
    }

    /// The network.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn get(&mut self) -> Result<&T, GenerateError> {
        self.load(None)?;
        self.loaded
            .as_ref()
            .ok_or_else(|| GenerateError::item("network", "the network was dropped"))
    }
}

fn out_of_memory(error: &candle_core::Error) -> bool {
    let text = error.to_string().to_lowercase();
    text.contains("out of memory") || text.contains("out_of_memory")
}

/// A checkpoint that cannot be used stops the run.
pub fn fatal(error: ModelError) -> GenerateError {
    let help = miette::Diagnostic::help(&error)
        .map(|help| help.to_string())
        .unwrap_or_else(|| "check the folder of the checkpoint".into());
    GenerateError::fatal(error.to_string(), help)
}

/// What goes wrong while a network runs is one output's failure; memory that runs out names the option that helps.
pub fn running(phase: &'static str) -> impl Fn(ModelError) -> GenerateError {
    move |error| match &error {
        ModelError::Candle(cause) if out_of_memory(cause) => GenerateError::item(
            "memory",
            format!(
                "out of device memory in the phase `{phase}`: {cause}; `--vram-budget` below what the device has \
                 makes networks take turns, a smaller `size` needs less"
            ),
        ),
        _ => GenerateError::item("network", format!("{phase}: {error}")),
    }
}
