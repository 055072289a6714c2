//! Everything that is known of a kind of generator, in one value. It is made from a description in the
//! generator's own file, which is a [`SimpleGenerator`], or a [`Pipeline`] if the generator runs networks in
//! this process.

use super::error::{BuildError, GenerateError};
use super::generator::Generator;
use super::pipeline::{Chain, CheckpointFolder, Part, Phase};
use super::place::{Place, Precision};
use super::released::ReleasedConfig;
use crate::config::{ConfigError, Settings};
use crate::model::weights::fingerprint;
use crate::record::{Item, Task};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The assets that a generator may use, by id.
pub type Resources = BTreeMap<&'static str, PathBuf>;

/// The description of a generator that runs no networks in this process.
pub trait SimpleGenerator: Generator + Sized + 'static {
    /// The name that a model's `generator` key takes.
    const NAME: &'static str;
    /// What the generator does, in one sentence without a full stop.
    const ABOUT: &'static str;
    /// The settings of the generator.
    type Settings: DeserializeOwned + JsonSchema;
    /// Whether each output is a request to a server, which may cost money.
    const ASKS_SERVER: bool = false;

    /// Makes the generator. `assets` has the assets that [`Self::wanted_assets`] names.
    ///
    /// # Errors
    /// Fails if a setting is out of its range, or if a file that the settings name cannot be opened.
    fn open(settings: Self::Settings, assets: &Resources) -> Result<Self, BuildError>;

    /// Checks the settings beyond their types, as far as that is possible without opening anything.
    ///
    /// # Errors
    /// Fails if a setting is out of its range.
    fn check_settings(_settings: Self::Settings) -> Result<(), BuildError> {
        Ok(())
    }

    /// The assets that the generator needs for these items, in addition to the files that its settings name.
    fn wanted_assets(_items: &[Item]) -> Vec<&'static str> {
        Vec::new()
    }

    /// What determines the outputs in addition to the settings: hashes of files that the settings name. `None`
    /// if they name no such file.
    fn weights(_settings: &Self::Settings) -> Option<Value> {
        None
    }

    /// The largest number of generators that work at the same time. `None` leaves it to `--jobs`.
    fn most_workers(_settings: &Self::Settings) -> Option<usize> {
        None
    }
}

/// The description of a generator that runs networks in this process.
pub trait Pipeline: 'static {
    /// The name that a model's `generator` key takes.
    const NAME: &'static str;
    /// What the generator does, in one sentence without a full stop.
    const ABOUT: &'static str;
    /// The tasks whose items the generator answers.
    const TASKS: &'static [Task];
    /// The settings of the generator. The manifest shows them with all defaults.
    type Settings: DeserializeOwned + Serialize + JsonSchema;

    /// The configurations of the published checkpoints, in lists that several generators may share.
    const RELEASED: &'static [&'static [ReleasedConfig]];

    /// The number format that the settings ask for.
    fn precision(settings: &Self::Settings) -> Precision;

    /// The folder of the checkpoint, which the key `checkpoint` names.
    fn checkpoint(settings: &Self::Settings) -> &Path;

    /// The files and folders of weights that other keys name, each with its key.
    fn beside(_settings: &Self::Settings) -> Vec<(&'static str, &Path)> {
        Vec::new()
    }

    /// How many times the network that makes a picture step by step is evaluated for an output. `None` if that
    /// is not known.
    fn evaluations(_settings: &Self::Settings) -> Option<usize> {
        None
    }

    /// The phases in their order, from the configurations in `folder` alone, which is the checkpoint or a
    /// folder with its configurations. Only this function names the networks. Loading, the plan of the
    /// device's memory, `check` and `check --keys` read these phases.
    ///
    /// # Errors
    /// Fails if a configuration is absent or wrong.
    fn phases(
        settings: &Self::Settings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError>;
}

type Open = fn(&Settings, &Resources, &Place) -> Result<Box<dyn Generator>, BuildError>;

/// Everything that the program knows of a kind of generator.
#[derive(Debug, Clone, Copy)]
pub struct GeneratorKind {
    /// The name that a model's `generator` key takes.
    pub name: &'static str,
    /// What the generator does, in one sentence without a full stop.
    pub about: &'static str,
    /// The JSON schema of its settings.
    pub schema: fn() -> Schema,
    /// Whether each output is a request to a server, which may cost money.
    pub asks_server: bool,
    check: fn(&Settings) -> Result<(), BuildError>,
    open: Open,
    wanted_assets: fn(&[Item]) -> Vec<&'static str>,
    weights: fn(&Settings, bool) -> Result<Option<Value>, BuildError>,
    most_workers: fn(&Settings) -> Result<Option<usize>, BuildError>,
    networks: Option<Networks>,
}

/// What is also known of a generator that runs networks in this process.
#[derive(Debug, Clone, Copy)]
struct Networks {
    resolved: fn(&Settings) -> Result<Value, BuildError>,
    evaluations: fn(&Settings) -> Result<Option<usize>, BuildError>,
    parts: fn(&Settings, &Path, bool) -> Result<Vec<Part>, BuildError>,
    released: &'static [&'static [ReleasedConfig]],
}

impl GeneratorKind {
    /// The kind of a generator without networks.
    pub(super) const fn simple<G: SimpleGenerator>() -> Self {
        Self {
            name: G::NAME,
            about: G::ABOUT,
            schema: || schema_for!(G::Settings),
            asks_server: G::ASKS_SERVER,
            check: |settings| G::check_settings(settings.read()?),
            open: |settings, assets, _| Ok(Box::new(G::open(settings.read()?, assets)?)),
            wanted_assets: G::wanted_assets,
            weights: |settings, _| Ok(G::weights(&settings.read()?)),
            most_workers: |settings| Ok(G::most_workers(&settings.read()?)),
            networks: None,
        }
    }

    /// The kind of a generator that is a pipeline.
    pub(super) const fn pipeline<P: Pipeline>() -> Self {
        Self {
            name: P::NAME,
            about: P::ABOUT,
            schema: || schema_for!(P::Settings),
            asks_server: false,
            check: |settings| Ok(settings.read::<P::Settings>().map(drop)?),
            open: |settings, _, place| open::<P>(settings, place),
            wanted_assets: |_| Vec::new(),
            weights: |settings, gpu| weights::<P>(settings, gpu).map(Some),
            most_workers: |_| Ok(Some(1)),
            networks: Some(Networks {
                resolved: resolved::<P>,
                evaluations: |settings| Ok(P::evaluations(&settings.read()?)),
                parts: parts::<P>,
                released: P::RELEASED,
            }),
        }
    }

    /// Checks settings without making the generator.
    ///
    /// # Errors
    /// Fails if a key is unknown, or a value has the wrong type or is out of its range.
    pub fn check(&self, settings: &Settings) -> Result<(), BuildError> {
        (self.check)(settings)
    }

    /// Makes the generator.
    ///
    /// # Errors
    /// Fails if its settings have mistakes, or if a file that they name cannot be opened.
    pub fn open(
        &self,
        settings: &Settings,
        assets: &Resources,
        place: &Place,
    ) -> Result<Box<dyn Generator>, BuildError> {
        (self.open)(settings, assets, place)
    }

    /// The assets that the generator needs for these items, in addition to the files that its settings name.
    pub fn wanted_assets(&self, items: &[Item]) -> Vec<&'static str> {
        (self.wanted_assets)(items)
    }

    /// The number of generators that work at the same time, if `jobs` may.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    pub fn workers(&self, settings: &Settings, jobs: usize) -> Result<usize, BuildError> {
        let most = (self.most_workers)(settings)?;
        Ok(most.map_or(jobs, |most| most.min(jobs)))
    }

    /// Whether the generator runs networks in this process. If so, one worker has the device, and `--jobs`
    /// has no effect.
    pub fn runs_networks(&self) -> bool {
        self.networks.is_some()
    }

    /// The settings for the manifest: with all defaults if the generator runs networks in this process, and
    /// otherwise as they are written.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    pub fn resolved(&self, settings: &Settings) -> Result<Value, BuildError> {
        match &self.networks {
            Some(networks) => (networks.resolved)(settings),
            None => Ok(settings.to_json()),
        }
    }

    /// How many times the network that makes a picture step by step is evaluated for an output. `None` if that
    /// is not known.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    pub fn evaluations(&self, settings: &Settings) -> Result<Option<usize>, BuildError> {
        let networks = self.networks.as_ref();
        networks.map_or(Ok(None), |networks| (networks.evaluations)(settings))
    }

    /// What determines the outputs in addition to the settings. For networks it is the number format on this
    /// kind of device, and a hash of every file or folder that the settings name; for others, the hashes of the
    /// files that they name as their own. A missing file has no hash; opening it gives the error. `None` if
    /// there is nothing.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    pub fn weights(&self, settings: &Settings, gpu: bool) -> Result<Option<Value>, BuildError> {
        (self.weights)(settings, gpu)
    }

    /// The configurations of the published checkpoints. There are none for a generator without networks.
    pub fn released(&self) -> impl Iterator<Item = &'static ReleasedConfig> {
        let lists = self.networks.iter().flat_map(|networks| networks.released);
        lists.flat_map(|list| list.iter())
    }

    /// The tensors that its networks require of a checkpoint whose configurations are in `folder`. `None` for
    /// a generator without networks.
    ///
    /// # Errors
    /// Fails if the settings have mistakes or a configuration is absent or wrong.
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

fn open<P: Pipeline>(settings: &Settings, place: &Place) -> Result<Box<dyn Generator>, BuildError> {
    let settings: P::Settings = settings.read()?;
    let dtype = P::precision(&settings).on(&place.device);
    let folder = CheckpointFolder::new(P::checkpoint(&settings), dtype);
    let phases = P::phases(&settings, &folder)?;
    Ok(Box::new(Chain::open(P::TASKS, phases, &folder, place)?))
}

fn parts<P: Pipeline>(
    settings: &Settings,
    folder: &Path,
    gpu: bool,
) -> Result<Vec<Part>, BuildError> {
    let settings: P::Settings = settings.read()?;
    let folder = CheckpointFolder::new(folder, P::precision(&settings).dtype(gpu));
    let mut parts = Vec::new();
    for phase in P::phases(&settings, &folder)? {
        parts.extend(phase.parts()?);
    }
    Ok(parts)
}

fn resolved<P: Pipeline>(settings: &Settings) -> Result<Value, BuildError> {
    let settings: P::Settings = settings.read()?;
    let value = serde_json::to_value(settings);
    Ok(value
        .map_err(|error| ConfigError::new(format!("settings of {}: {error}", P::NAME), None))?)
}

fn weights<P: Pipeline>(settings: &Settings, gpu: bool) -> Result<Value, BuildError> {
    let settings: P::Settings = settings.read()?;
    let dtype = P::precision(&settings).dtype(gpu).as_str();
    let mut found = Map::new();
    found.insert("dtype".into(), json!(dtype));
    let checkpoint = ("checkpoint", P::checkpoint(&settings));
    for (key, path) in [checkpoint].into_iter().chain(P::beside(&settings)) {
        if let Ok(hash) = fingerprint(path) {
            found.insert(key.into(), hash.into());
        }
    }
    Ok(found.into())
}
