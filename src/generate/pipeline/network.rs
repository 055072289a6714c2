//! Networks that are known by their configuration, are loaded for a phase, and may be dropped after it.

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

/// The description of a network in addition to its configuration.
#[derive(Clone)]
pub(crate) struct NetworkInfo {
    /// Its name for people, such as `FLUX transformer`.
    pub name: &'static str,
    /// The location of its weights.
    pub location: Location,
    /// The number format in which the tensors are loaded.
    pub dtype: DType,
    /// The parts in which people see the network, each with the prefix of its tensors' names. It is empty for
    /// a network of one part. A tensor belongs to the first part whose prefix fits.
    pub split: &'static [(&'static str, &'static str)],
    /// Tensors in the same files that the pipeline does not use, with their name for people.
    pub unused: Option<(&'static str, Vec<Asked>)>,
    /// Whether Black Forest Labs publish the same network in files with their own layout.
    pub has_bfl_layout: bool,
    /// Open files, for sizes that are in no configuration.
    pub stored: Option<Arc<Files>>,
    /// How the files name the tensors, if their only published layout is not that of the network.
    pub in_files: Option<InFiles>,
}

impl NetworkInfo {
    /// A network of one part.
    pub(crate) fn new(name: &'static str, location: Location, dtype: DType) -> Self {
        Self {
            name,
            location,
            dtype,
            split: &[],
            unused: None,
            has_bfl_layout: false,
            stored: None,
            in_files: None,
        }
    }
}

/// Gives the tensors of a network the names and shapes that they have in files.
type InFiles = fn(&[Asked]) -> Result<Vec<Asked>>;

type Build<T> = dyn Fn(&Weights) -> Result<T> + Send + Sync;

/// A network by its configuration. A clone is another handle of the same network: the stage that runs the
/// network has one, and the pipeline that loads and drops it has another.
pub(crate) struct Network<T>(Arc<Inner<T>>);

struct Inner<T> {
    info: NetworkInfo,
    build: Box<Build<T>>,
    opened: OnceLock<Opened>,
    loaded: Mutex<Option<Arc<T>>>,
}

/// The parts of a network that need open files.
struct Opened {
    files: Arc<Files>,
    device: Device,
    /// The size of the weights in memory, in bytes.
    bytes: u64,
}

impl<T> Clone for Network<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Network<T> {
    /// The network that `build` makes. No file is opened yet.
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

    /// A handle for code that does not run the network.
    pub(crate) fn any(&self) -> Box<dyn AnyNetwork> {
        Box::new(self.clone())
    }

    /// The network, which is loaded if it is not in memory.
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
        // After a panic, the network is still either loaded or not.
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
                        "{}: no memory for {} of weights: {cause}",
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

/// A network of any type, for code that lists, loads and drops networks.
pub trait AnyNetwork: Send {
    /// The parts of the network, from its configuration alone. Nothing is loaded or allocated. `phase` is the
    /// phase that needs the network.
    ///
    /// # Errors
    /// Fails if the configuration is wrong.
    fn parts(&self, phase: &'static str) -> Result<Vec<Part>, GenerateError>;

    /// Opens the files of the network, without building it.
    ///
    /// # Errors
    /// Fails if the files are absent or damaged.
    fn open(&self, shelf: &Shelf, device: &Device) -> Result<(), GenerateError>;

    /// The size of the weights in memory, in bytes. It is 0 before the files are open.
    fn bytes(&self) -> u64;

    /// Whether the weights are in the device's memory.
    fn is_loaded(&self) -> bool;

    /// Loads the weights if they are not in memory. With `check`, the files are only checked, and nothing is
    /// loaded.
    ///
    /// # Errors
    /// Fails if the weights are wrong, or if they do not fit into the memory of the device.
    fn load(&self, check: Option<Checked>) -> Result<(), GenerateError>;

    /// Drops the weights.
    fn unload(&self);
}

impl<T: Send + Sync + 'static> AnyNetwork for Network<T> {
    fn parts(&self, phase: &'static str) -> Result<Vec<Part>, GenerateError> {
        let info = &self.0.info;
        let mut tensors = audit(info.stored.clone(), &self.0.build).map_err(fatal)?;
        if let Some(in_files) = info.in_files {
            tensors = in_files(&tensors).map_err(fatal)?;
        }
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
