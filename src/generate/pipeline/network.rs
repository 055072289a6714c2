//! Networks that come and go: known by their configuration, loaded for a phase, dropped after it.

use super::checkpoint::{Location, Shelf};
use super::fault::{fatal, out_of_memory};
use super::part::Part;
use crate::generate::error::GenerateError;
use crate::model::flux::bfl;
use crate::model::flux_vae;
use crate::model::weights::{Asked, Checked, Files, audit, load};
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Device};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What is known of a network apart from its configuration.
#[derive(Clone)]
pub(crate) struct NetworkInfo {
    /// What people call it, such as `FLUX transformer`.
    pub name: &'static str,
    /// Where its weights lie.
    pub location: Location,
    /// What the tensors are loaded to.
    pub dtype: DType,
    /// The parts that people know it by, each with the beginning of its tensors' names. `None` for a network
    /// that is one part. A tensor belongs to the first beginning that fits.
    pub split: &'static [(&'static str, &'static str)],
    /// Tensors in the same files that the pipeline does not use, with their name.
    pub unused: Option<(&'static str, Vec<Asked>)>,
    /// Whether Black Forest Labs publish the same network in files of their own layout.
    pub has_bfl_layout: bool,
    /// Opened files that answer questions about sizes which no configuration answers.
    pub stored: Option<Arc<Files>>,
}

impl NetworkInfo {
    /// A network that is one part.
    pub(crate) fn new(name: &'static str, location: Location, dtype: DType) -> Self {
        Self {
            name,
            location,
            dtype,
            split: &[],
            unused: None,
            has_bfl_layout: false,
            stored: None,
        }
    }
}

type Build<T> = dyn Fn(&Weights) -> Result<T> + Send + Sync;

/// A network by its configuration. A clone is another handle of the same network: the stage that runs it has
/// one, and the pipeline that loads and drops it has another.
pub(crate) struct Network<T>(Arc<Inner<T>>);

struct Inner<T> {
    info: NetworkInfo,
    build: Box<Build<T>>,
    opened: OnceLock<Opened>,
    loaded: Mutex<Option<Arc<T>>>,
}

/// What is known once the files are open.
struct Opened {
    files: Arc<Files>,
    device: Device,
    /// Memory of the weights.
    bytes: u64,
}

impl<T> Clone for Network<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Network<T> {
    /// The network that `build` makes; opens nothing.
    pub(crate) fn new(
        info: NetworkInfo,
        build: impl Fn(&Weights) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            info,
            build: Box::new(build),
            opened: OnceLock::new(),
            loaded: Mutex::new(None),
        }))
    }

    /// A handle for those who do not run it.
    pub(crate) fn any(&self) -> Box<dyn AnyNetwork> {
        Box::new(self.clone())
    }

    /// The network, loaded if it is not there.
    ///
    /// # Errors
    /// Fails when [`AnyNetwork::load`] fails.
    pub(crate) fn get(&self) -> Result<Arc<T>, GenerateError> {
        let mut loaded = self.loaded();
        if let Some(network) = &*loaded {
            return Ok(network.clone());
        }
        let opened = self.opened()?;
        let network = Arc::new(self.read(opened, &opened.files)?);
        *loaded = Some(network.clone());
        Ok(network)
    }

    fn loaded(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        // After a panic the network is still either there or not.
        self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> Result<&Opened, GenerateError> {
        let closed = || {
            let name = self.0.info.name;
            GenerateError::item("network", format!("the files of {name} were not opened"))
        };
        self.0.opened.get().ok_or_else(closed)
    }

    fn read(&self, opened: &Opened, files: &Arc<Files>) -> Result<T, GenerateError> {
        // The authors of FLUX and the library diffusers publish the same weights under other names.
        let load = if bfl::is_bfl(files) {
            bfl::load
        } else if flux_vae::bfl::is_bfl(files) {
            flux_vae::bfl::load
        } else {
            load
        };
        load(files, self.0.info.dtype, &opened.device, &self.0.build).map_err(
            |error| match &error {
                ModelError::Candle(cause) if out_of_memory(cause) => GenerateError::fatal(
                    format!(
                        "{}: no room for {} of weights: {cause}",
                        files.path().display(),
                        bytesize::ByteSize(opened.bytes)
                    ),
                    "set `--vram-budget` to less than the free memory of the device, so that networks take turns",
                ),
                _ => fatal(error),
            },
        )
    }
}

/// A network of any type, for those who list, load and drop it.
pub trait AnyNetwork: Send {
    /// Its parts by configuration alone: nothing is loaded or allocated. `phase` is the phase that needs it.
    ///
    /// # Errors
    /// Fails if the configuration cannot be right.
    fn parts(&self, phase: &'static str) -> Result<Vec<Part>, GenerateError>;

    /// Opens its files and builds nothing.
    ///
    /// # Errors
    /// Fails if the files are absent or damaged.
    fn open(&self, shelf: &Shelf, device: &Device) -> Result<(), GenerateError>;

    /// Memory of the weights in bytes; 0 before its files are open.
    fn bytes(&self) -> u64;

    /// Whether the weights are in the device's memory.
    fn is_loaded(&self) -> bool;

    /// Loads the weights if they are not there. With `check` the files are only looked at, and nothing is
    /// loaded.
    ///
    /// # Errors
    /// Fails if they are wrong, or the device has no room for them.
    fn load(&self, check: Option<Checked>) -> Result<(), GenerateError>;

    /// Drops the weights.
    fn unload(&self);
}

impl<T: Send + Sync + 'static> AnyNetwork for Network<T> {
    fn parts(&self, phase: &'static str) -> Result<Vec<Part>, GenerateError> {
        let info = &self.0.info;
        let tensors = audit(info.stored.clone(), &self.0.build).map_err(fatal)?;
        let whole = Part {
            phase,
            folder: info.location.label.clone(),
            name: info.name,
            dtype: info.dtype,
            tensors,
            used: true,
            has_bfl_layout: info.has_bfl_layout,
        };
        let unused = info.unused.as_ref().map(|(name, tensors)| Part {
            name,
            tensors: tensors.clone(),
            used: false,
            ..whole.clone()
        });
        let parts = if info.split.is_empty() {
            vec![whole]
        } else {
            whole.split(info.split)
        };
        Ok(parts.into_iter().chain(unused).collect())
    }

    fn open(&self, shelf: &Shelf, device: &Device) -> Result<(), GenerateError> {
        let Inner { info, build, .. } = &*self.0;
        let files = shelf.open(&info.location.path)?;
        let asked = audit(Some(files.clone()), build).map_err(fatal)?;
        let elements: usize = asked
            .iter()
            .map(|tensor| tensor.shape.iter().product::<usize>())
            .sum();
        self.0.opened.get_or_init(|| Opened {
            files,
            device: device.clone(),
            bytes: (elements * info.dtype.size_in_bytes()) as u64,
        });
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.0.opened.get().map_or(0, |opened| opened.bytes)
    }

    fn is_loaded(&self) -> bool {
        self.loaded().is_some()
    }

    fn load(&self, check: Option<Checked>) -> Result<(), GenerateError> {
        match check {
            Some(how) => {
                let opened = self.opened()?;
                self.read(opened, &opened.files.checked(how)).map(drop)
            }
            None => self.get().map(drop),
        }
    }

    fn unload(&self) {
        *self.loaded() = None;
    }
}
