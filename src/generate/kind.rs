//! What is known of a kind of generator, in one value. Each is made of a description that stands beside the
//! generator's own code: [`SimpleGenerator`], or [`Pipeline`] for one that runs networks in this process.

use super::error::{BuildError, GenerateError};
use super::generator::Generator;
use super::parts::Part;
use super::place::{Place, Precision};
use crate::config::{ConfigError, Settings};
use crate::model::weights::fingerprint;
use crate::record::Item;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Assets that a generator may use, by id.
pub type Resources = BTreeMap<&'static str, PathBuf>;

/// The description of a generator that runs no networks in this process.
pub trait SimpleGenerator: Generator + Sized + 'static {
    /// The name that a model's `generator` key takes.
    const NAME: &'static str;
    /// What it does, in one sentence without a full stop.
    const SUMMARY: &'static str;
    /// Its settings.
    type Settings: DeserializeOwned;

    /// Makes the generator; `assets` holds what [`Self::wanted_assets`] asked for.
    ///
    /// # Errors
    /// When a setting is out of its range, or what the settings name cannot be opened.
    fn open(settings: Self::Settings, assets: &Resources) -> Result<Self, BuildError>;

    /// Checks the settings beyond their types, as far as that is possible without opening anything.
    ///
    /// # Errors
    /// When a setting is out of its range.
    fn check(_settings: Self::Settings) -> Result<(), BuildError> {
        Ok(())
    }

    /// Assets that it needs for these items, beside its settings.
    fn wanted_assets(_items: &[Item]) -> Vec<&'static str> {
        Vec::new()
    }
}

/// The description of a generator that runs networks in this process.
pub trait Pipeline: 'static {
    /// The name that a model's `generator` key takes.
    const NAME: &'static str;
    /// What it does, in one sentence without a full stop.
    const SUMMARY: &'static str;
    /// Its settings. The manifest shows them with all defaults.
    type Settings: DeserializeOwned + Serialize;

    /// The number format that the settings ask for.
    fn precision(settings: &Self::Settings) -> Precision;

    /// Every file or folder of weights that the settings name, by the key that names it.
    fn checkpoints(settings: &Self::Settings) -> Vec<(&'static str, &Path)>;

    /// Opens the pipeline; weights are mapped, and loaded when their phase begins.
    ///
    /// # Errors
    /// When a file of the checkpoint is absent or damaged, or weights and configuration do not fit.
    fn open(settings: Self::Settings, place: &Place) -> Result<Box<dyn Generator>, GenerateError>;

    /// The networks' tensors, by the configurations in `folder`.
    ///
    /// # Errors
    /// When a configuration is absent or wrong.
    fn parts(
        settings: &Self::Settings,
        folder: &Path,
        gpu: bool,
    ) -> Result<Vec<Part>, GenerateError>;
}

/// Everything that the program knows of a kind of generator.
#[derive(Debug, Clone, Copy)]
pub struct GeneratorKind {
    /// The name that a model's `generator` key takes.
    pub name: &'static str,
    /// What it does, in one sentence without a full stop.
    pub summary: &'static str,
    check: fn(&Settings) -> Result<(), BuildError>,
    open: fn(&Settings, &Resources, &Place) -> Result<Box<dyn Generator>, BuildError>,
    wanted_assets: fn(&[Item]) -> Vec<&'static str>,
    networks: Option<Networks>,
}

/// What is known beside that of a generator that runs networks in this process.
#[derive(Debug, Clone, Copy)]
struct Networks {
    resolved: fn(&Settings) -> Result<Value, ConfigError>,
    weights: fn(&Settings, bool) -> Result<Value, ConfigError>,
    parts: fn(&Settings, &Path, bool) -> Result<Vec<Part>, BuildError>,
}

impl GeneratorKind {
    /// The kind that a generator without networks describes.
    pub(super) const fn simple<G: SimpleGenerator>() -> Self {
        Self {
            name: G::NAME,
            summary: G::SUMMARY,
            check: |settings| G::check(settings.read()?),
            open: |settings, assets, _| Ok(Box::new(G::open(settings.read()?, assets)?)),
            wanted_assets: G::wanted_assets,
            networks: None,
        }
    }

    /// The kind that a pipeline describes.
    pub(super) const fn pipeline<P: Pipeline>() -> Self {
        Self {
            name: P::NAME,
            summary: P::SUMMARY,
            check: |settings| Ok(settings.read::<P::Settings>().map(drop)?),
            open: |settings, _, place| Ok(P::open(settings.read()?, place)?),
            wanted_assets: |_| Vec::new(),
            networks: Some(Networks {
                resolved: resolved::<P>,
                weights: weights::<P>,
                parts: |settings, folder, gpu| Ok(P::parts(&settings.read()?, folder, gpu)?),
            }),
        }
    }

    /// Checks settings without making the generator.
    ///
    /// # Errors
    /// When a key is unknown, or a value has the wrong type or is out of its range.
    pub fn check(&self, settings: &Settings) -> Result<(), BuildError> {
        (self.check)(settings)
    }

    /// Makes the generator.
    ///
    /// # Errors
    /// When its settings have mistakes, or what they name cannot be opened.
    pub fn open(
        &self,
        settings: &Settings,
        assets: &Resources,
        place: &Place,
    ) -> Result<Box<dyn Generator>, BuildError> {
        (self.open)(settings, assets, place)
    }

    /// Assets that it needs for these items, beside its settings.
    pub fn wanted_assets(&self, items: &[Item]) -> Vec<&'static str> {
        (self.wanted_assets)(items)
    }

    /// Whether it runs networks in this process: then one worker has the device, whatever `--jobs` says.
    pub fn runs_networks(&self) -> bool {
        self.networks.is_some()
    }

    /// Settings with the defaults that they leave out, so that a manifest says everything; as they stand for a
    /// generator that runs no networks here.
    ///
    /// # Errors
    /// When the settings have mistakes.
    pub fn resolved(&self, settings: &Settings) -> Result<Value, ConfigError> {
        match &self.networks {
            Some(networks) => (networks.resolved)(settings),
            None => Ok(settings.to_json()),
        }
    }

    /// What shapes the outputs of networks beside their settings: the number format on this kind of device, and a hash
    /// of every file or folder that the settings name. Files that are not there leave no hash: opening them says so.
    /// None for a generator without networks.
    ///
    /// # Errors
    /// When the settings have mistakes.
    pub fn weights(&self, settings: &Settings, gpu: bool) -> Result<Option<Value>, ConfigError> {
        let networks = self.networks.as_ref();
        networks
            .map(|networks| (networks.weights)(settings, gpu))
            .transpose()
    }

    /// What it asks of a checkpoint whose configurations lie in `folder`. None for a generator without networks.
    ///
    /// # Errors
    /// When the settings have mistakes or a configuration is absent or wrong.
    pub fn parts(
        &self,
        settings: &Settings,
        folder: &Path,
        gpu: bool,
    ) -> Result<Option<Vec<Part>>, BuildError> {
        let networks = self.networks.as_ref();
        networks
            .map(|networks| (networks.parts)(settings, folder, gpu))
            .transpose()
    }
}

fn resolved<P: Pipeline>(settings: &Settings) -> Result<Value, ConfigError> {
    let settings: P::Settings = settings.read()?;
    serde_json::to_value(settings)
        .map_err(|error| ConfigError::new(format!("settings of {}: {error}", P::NAME), None))
}

fn weights<P: Pipeline>(settings: &Settings, gpu: bool) -> Result<Value, ConfigError> {
    let settings: P::Settings = settings.read()?;
    let dtype = P::precision(&settings).dtype(gpu).as_str();
    let mut found = Map::new();
    found.insert("dtype".into(), json!(dtype));
    for (key, path) in P::checkpoints(&settings) {
        if let Ok(hash) = fingerprint(path) {
            found.insert(key.into(), hash.into());
        }
    }
    Ok(found.into())
}
