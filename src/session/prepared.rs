//! One run with all that it needs: its name, its folder, and what its outputs depend on.

use super::engines::run_name_suffix;
use super::{
    ConfiguredModel, DeviceChoice, SelectedSuite, Session, SessionError, locate_checkpoints,
};
use crate::config::{Settings, SuiteFile};
use crate::generate::{BuildError, Generator, Place, Resources};
use crate::observe::{Means, Observer};
use crate::run::{
    Asked, Chains, FORMAT_VERSION, Host, Manifest, ManifestModel, ManifestSuite, Program,
    RunFolder, Shard,
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The options of a run that do not come from suite or model.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The run folder is `OUT/SUITE/MODEL/RUN`.
    pub out: PathBuf,
    /// The name of the run. `None` makes one from the seed and the selection, such as `seed0-limit20`.
    pub run_name: Option<String>,
    /// The number of outputs for each item. `None` uses the number of the suite.
    pub repeats: Option<u32>,
    /// The seed that the seeds of all outputs derive from.
    pub seed: u64,
    /// Where networks of this process run.
    pub device: DeviceChoice,
}

/// One run, ready to be made.
pub struct PreparedRun<'a> {
    /// The suite with its selected items.
    pub selected: &'a SelectedSuite,
    /// The model with its settings.
    pub configured: ConfiguredModel,
    /// Where the run's files are.
    pub folder: RunFolder,
    /// The number of outputs for each item.
    pub repeats: u32,
    /// The seed that the seeds of all outputs derive from.
    pub seed: u64,
    /// The name of the run.
    pub run: String,
    /// The files that shape the outputs, and the number format of networks in this process.
    weights: Option<Value>,
}

impl<'a> PreparedRun<'a> {
    /// Names the run and its folder.
    ///
    /// # Errors
    /// Fails if the run's name cannot be a folder's name.
    pub fn new(
        selected: &'a SelectedSuite,
        configured: ConfiguredModel,
        options: &RunOptions,
    ) -> Result<Self, SessionError> {
        let run = match &options.run_name {
            Some(name) => name.clone(),
            None => default_run_name(options.seed, selected),
        };
        check_run_name(&run)?;
        let root = options
            .out
            .join(&selected.suite.name)
            .join(&configured.model.name)
            .join(&run);
        let generator = configured.generator;
        let gpu = generator.runs_networks() && options.device.is_gpu();
        Ok(Self {
            weights: generator.weights(&configured.settings, gpu)?,
            repeats: options.repeats.unwrap_or(selected.suite.repeats),
            seed: options.seed,
            folder: RunFolder::at(root),
            run,
            selected,
            configured,
        })
    }

    /// The name of the run for lines of progress: `SUITE/MODEL`.
    pub fn label(&self) -> String {
        let (suite, model) = (&self.selected.suite.name, &self.configured.model.name);
        format!("{suite}/{model}")
    }

    /// All that determines an output, apart from the item and the seed.
    pub fn identity(&self) -> Value {
        let mut identity = json!({
            "generator": self.configured.model.generator,
            "settings": self.configured.resolved,
            "layout": self.selected.suite.layout,
        });
        if let Some(weights) = &self.weights {
            identity["weights"] = weights.clone();
        }
        identity
    }

    /// The assets that the generator needs. Absent assets are fetched.
    ///
    /// # Errors
    /// Fails if it cannot be obtained.
    pub(super) fn resources(&self, session: &Session) -> Result<Resources, SessionError> {
        let mut resources = Resources::default();
        let generator = self.configured.generator;
        for asset in generator.wanted_assets(&self.selected.items) {
            resources.insert(asset, session.hub()?.ensure(asset)?);
        }
        Ok(resources)
    }

    /// Where the generator's networks run. The device is opened only for a generator that has any.
    ///
    /// # Errors
    /// Fails with the reason if the device cannot be opened.
    pub fn network_place(
        &self,
        device: DeviceChoice,
        vram_budget: Option<u64>,
        shard: Option<Shard>,
    ) -> Result<Place, String> {
        let device = if self.runs_networks() {
            device
        } else {
            DeviceChoice::Cpu
        };
        Ok(Place {
            device: device.open()?,
            vram_budget,
            scratch: self.folder.scratch(shard),
        })
    }

    /// Whether the generator runs networks in this process.
    pub fn runs_networks(&self) -> bool {
        self.configured.generator.runs_networks()
    }

    /// Opens the networks of a generator that needs no assets beside them.
    ///
    /// # Errors
    /// Fails if the settings have mistakes, or the checkpoint cannot be opened.
    pub fn open_networks(&self, place: &Place) -> Result<Box<dyn Generator>, BuildError> {
        let ConfiguredModel {
            generator,
            settings,
            ..
        } = &self.configured;
        generator.open(settings, &Resources::default(), place)
    }

    /// The outputs that the run must have.
    pub fn asked_outputs(&'a self, shard: Option<Shard>) -> Asked<'a> {
        Asked {
            items: &self.selected.items,
            base: &self.selected.base,
            repeats: self.repeats,
            seed: self.seed,
            shard,
            chains: Chains::of_items(&self.selected.items),
        }
    }

    fn items_base(&self) -> Option<PathBuf> {
        let mut items = self.selected.items.iter();
        let pictured = items.any(|item| item.all_images().next().is_some());
        pictured
            .then(|| std::path::absolute(&self.selected.base).ok())
            .flatten()
    }

    /// The manifest of the run, as of now.
    ///
    /// # Errors
    /// Fails if a definition has no JSON form.
    pub(super) fn manifest(
        &self,
        device: String,
        shard: Option<Shard>,
        observers: &[Box<dyn Observer>],
    ) -> Result<Manifest, SessionError> {
        let weights = self.weights.as_ref();
        let model = self.configured.described(self.selected, weights, observers);
        let unwritable = |error: serde_json::Error| SessionError::Unwritable {
            record: "the manifest",
            reason: error.to_string(),
        };
        Ok(Manifest {
            format_version: FORMAT_VERSION,
            program: Program::this(),
            suite: ManifestSuite::new(self.selected.suite.clone()).map_err(unwritable)?,
            model: ManifestModel::new(model).map_err(unwritable)?,
            run: self.run.clone(),
            seed: self.seed,
            repeats: self.repeats,
            selection: self.selected.selection.clone(),
            shard,
            device,
            items_base: self.items_base(),
            left_out: self.selected.left_out.clone(),
            assets: self.selected.assets.clone(),
            observers: observers
                .iter()
                .map(|observer| (observer.name().to_owned(), observer.identity()))
                .collect(),
            host: Host::this(),
            command: std::env::args().collect(),
            started: jiff::Timestamp::now(),
            finished: None,
            executions: Vec::new(),
        })
    }
}

fn default_run_name(seed: u64, selected: &SelectedSuite) -> String {
    let selection = &selected.selection;
    let mut name = plain_run_name(seed, selection.limit);
    match &selection.only[..] {
        [] => {}
        [one] if one.len() <= 24 && one.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => {
            name.push_str(&format!("-only-{one}"));
        }
        many => name.push_str(&format!(
            "-only-{}",
            &crate::files::sha256_hex(many.join("\n").as_bytes())[..8]
        )),
    }
    if let Some(engines) = &selected.read_by {
        name.push_str(&run_name_suffix(engines));
    }
    name
}

/// Checks that the name of a run can be the name of a folder.
///
/// # Errors
/// Fails if it cannot.
pub fn check_run_name(name: &str) -> Result<(), SessionError> {
    let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(SessionError::RunName { name: name.into() });
    }
    Ok(())
}

/// The name of a run that differs from other runs only in the seed and the limit.
pub fn plain_run_name(seed: u64, limit: Option<usize>) -> String {
    match limit {
        Some(limit) => format!("seed{seed}-limit{limit}"),
        None => format!("seed{seed}"),
    }
}

/// Makes the observers of a suite.
///
/// # Errors
/// Fails if one is unknown, its options have mistakes, or an asset it needs cannot be obtained.
pub(super) fn suite_observers(
    session: &Session,
    suite: &SuiteFile,
    device: DeviceChoice,
) -> Result<Vec<Box<dyn Observer>>, SessionError> {
    let none = Settings::default();
    let each = suite.observers.iter().map(|name| {
        let settings = suite.observe.get(name).unwrap_or(&none);
        session.observer(name, settings, device)
    });
    each.collect()
}

impl Session {
    /// Makes one observer. Its checkpoints may be named as definitions name them (`shipped:NAME`).
    ///
    /// # Errors
    /// Fails if it is unknown, its options have mistakes, or an asset it needs cannot be obtained.
    pub fn observer(
        &self,
        name: &str,
        settings: &Settings,
        device: DeviceChoice,
    ) -> Result<Box<dyn Observer>, SessionError> {
        let settings = &locate_checkpoints(self, settings)?;
        let hub = self.hub()?;
        let means = Means {
            hub: hub.as_ref(),
            device: &|| device.open(),
        };
        Ok(crate::observe::build(name, settings, &means)?)
    }
}
