//! What is known about a kind of observer before one is made.

use super::{BuildError, Observer};
use crate::cancel::Cancel;
use crate::config::Settings;
use crate::hub::Hub;
use candle_core::Device;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Opens the device that networks run on.
pub type OpenDevice<'a> = dyn Fn() -> Result<Device, String> + 'a;

/// An observer that was made, or why there is none.
pub type Made = Result<Box<dyn Observer>, BuildError>;

/// What an observer may use when it is made.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Where assets come from. An absent asset is fetched if the network may be used.
    pub hub: &'a Hub,
    /// Opens the device. Only an observer whose networks run there calls it.
    pub device: &'a OpenDevice<'a>,
}

impl Means<'_> {
    /// The device that networks run on.
    ///
    /// # Errors
    /// Fails if the device does not open.
    pub fn device(&self) -> Result<Device, BuildError> {
        (self.device)().map_err(|reason| BuildError::Device { reason })
    }
}

/// The description of a kind of observer, beside its code. A new kind implements this and gets one line in
/// [`super::OBSERVERS`].
///
/// The functions that take [`Settings`] are called before an observer is made. They read only the settings
/// that they need.
pub trait Described: Observer + Sized + 'static {
    /// The settings in `[observe.NAME]` of a suite.
    type Settings: DeserializeOwned + schemars::JsonSchema;

    /// The name for the key `observers` of a suite. The evidence contains it.
    const NAME: &'static str;

    /// What it does, in one sentence without a full stop.
    const ABOUT: &'static str;

    /// Whether its networks run on the device that the user chooses.
    const ON_DEVICE: bool = false;

    /// For an OCR engine: the settings that say where it is, that its name contains, or that say how
    /// patiently it is asked. They are not part of the names of runs.
    const PLACES: &'static [&'static str] = &[];

    /// The assets that the observer needs.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    fn assets(_settings: &Settings) -> Result<Vec<&'static str>, BuildError> {
        Ok(Vec::new())
    }

    /// The folders and files of weights that the settings name. Assets of the hub are not among them.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    fn checkpoints(_settings: &Settings) -> Result<Vec<PathBuf>, BuildError> {
        Ok(Vec::new())
    }

    /// The OCR engine's name for tables. `None` if the observer reads no text.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    fn engine(_settings: &Settings) -> Result<Option<String>, BuildError> {
        Ok(None)
    }

    /// What a server says without a question that costs money, as lines of text.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    fn look(_settings: &Settings, _cancel: &Cancel) -> Result<Vec<String>, BuildError> {
        Ok(Vec::new())
    }

    /// The notes in the observer's own files of a run folder that a reader of the numbers must know.
    fn notes(_root: &Path) -> Vec<String> {
        Vec::new()
    }

    /// Makes the observer.
    ///
    /// # Errors
    /// Fails if a setting has an impossible value, or if an asset, a checkpoint or the device cannot be
    /// obtained.
    fn open(settings: Self::Settings, means: &Means<'_>) -> Result<Self, BuildError>;
}

/// A kind of observer, as a value.
#[derive(Debug, Clone, Copy)]
pub struct ObserverKind {
    /// The same as [`Described::NAME`].
    pub name: &'static str,
    /// The same as [`Described::ABOUT`].
    pub about: &'static str,
    /// The same as [`Described::ON_DEVICE`].
    pub on_device: bool,
    /// The same as [`Described::PLACES`].
    pub places: &'static [&'static str],
    /// The JSON schema of its settings.
    pub schema: fn() -> schemars::Schema,
    /// The same as [`Described::assets`].
    pub assets: fn(&Settings) -> Result<Vec<&'static str>, BuildError>,
    /// The same as [`Described::checkpoints`].
    pub checkpoints: fn(&Settings) -> Result<Vec<PathBuf>, BuildError>,
    /// The same as [`Described::engine`].
    pub engine: fn(&Settings) -> Result<Option<String>, BuildError>,
    /// The same as [`Described::look`].
    pub look: fn(&Settings, &Cancel) -> Result<Vec<String>, BuildError>,
    /// The same as [`Described::notes`].
    pub notes: fn(&Path) -> Vec<String>,
    /// Reads the settings and makes the observer by [`Described::open`].
    pub open: fn(&Settings, &Means<'_>) -> Made,
}

impl ObserverKind {
    /// The description of one kind.
    pub(super) const fn describe<T: Described>() -> Self {
        Self {
            name: T::NAME,
            about: T::ABOUT,
            on_device: T::ON_DEVICE,
            places: T::PLACES,
            schema: || schemars::schema_for!(T::Settings),
            assets: T::assets,
            checkpoints: T::checkpoints,
            engine: T::engine,
            look: T::look,
            notes: T::notes,
            open: |settings, means| Ok(Box::new(T::open(settings.read()?, means)?)),
        }
    }
}
