//! Whether definitions can be used, and whether what they need exists.

use super::{ConfiguredModel, RunTarget, SelectedSuite, Session, SessionError, locate_checkpoints};
use crate::config::{self, ConfigError, Document, Kind, ModelFile};
use crate::grade::reward::Reward;
use crate::hub::{AssetState, HubError};
use crate::observe::{self, BuildError, OBSERVERS};
use std::io;
use std::path::{Path, PathBuf};

/// What a definition without mistakes can be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckedDefinition {
    /// All that it names is known.
    Usable,
    /// This version has not all observers of the suite. It can still grade evidence that others made.
    GradesOnly {
        /// The names of the unknown observers.
        unknown: Vec<String>,
    },
    /// All that the study names is known.
    Study {
        /// How many models and how many suites each part of the study has.
        parts: Vec<(usize, usize)>,
    },
    /// All that the reward names is known.
    Reward {
        /// How many components the reward has.
        components: usize,
        /// The fingerprint of the reward, a SHA-256 as text.
        fingerprint: String,
    },
}

/// The assets in the cache.
#[derive(Debug)]
pub struct CachedAssets {
    /// How many assets there are.
    pub all: usize,
    /// How many of them are in the cache.
    pub present: usize,
    /// The identifiers of the damaged ones, each with what is wrong.
    pub damaged: Vec<(String, HubError)>,
}

/// What an observer of a suite needs, and what of that is missing.
#[derive(Debug)]
pub struct CheckedObserver {
    /// The name of the observer.
    pub name: &'static str,
    /// The checkpoints that its settings name and that exist.
    pub checkpoints: Vec<PathBuf>,
    /// Why its assets cannot be listed, if its settings have a mistake.
    pub settings_fault: Option<BuildError>,
    /// Lines on its server, or why its settings cannot be used. There are no lines while the session is
    /// offline. A server that does not answer is no mistake: outputs can be made without it.
    pub server: Result<Vec<String>, BuildError>,
    /// Why assets cannot be taken from the cache.
    pub absent: Vec<HubError>,
}

impl Session {
    /// Checks the definition of a suite.
    ///
    /// # Errors
    /// Fails if the definition, its rule or the options of the rule have mistakes.
    pub fn check_suite(&self, name: &str) -> Result<CheckedDefinition, SessionError> {
        let suite = config::suite(name, Path::new(""))?.definition;
        crate::grade::build(&suite.grade.rule, &suite.grade.options)?;
        let names = suite.observers.into_iter();
        let unknown: Vec<String> = names.filter(|name| observe::find(name).is_none()).collect();
        Ok(if unknown.is_empty() {
            CheckedDefinition::Usable
        } else {
            CheckedDefinition::GradesOnly { unknown }
        })
    }

    /// Checks the definition of a model with each of its presets.
    ///
    /// # Errors
    /// Fails if the definition or the settings have mistakes.
    pub fn check_model(&self, name: &str) -> Result<CheckedDefinition, SessionError> {
        let model = config::model(name, Path::new(""))?.definition;
        for suite in model.presets.keys() {
            ConfiguredModel::new(self, model.clone(), suite)?;
        }
        ConfiguredModel::new(self, model, "")?;
        Ok(CheckedDefinition::Usable)
    }

    /// Checks the definition of a study, with all its suites and models.
    ///
    /// # Errors
    /// Fails if one of the definitions or the settings of a model have mistakes.
    pub fn check_study(&self, name: &str) -> Result<CheckedDefinition, SessionError> {
        let target = RunTarget::load(name, &[])?;
        for (suite, models) in target.suites() {
            config::suite(suite, &target.from)?;
            for model in models {
                ConfiguredModel::load(self, model, &target.from, suite)?;
            }
        }
        let parts = target.parts.iter();
        Ok(CheckedDefinition::Study {
            parts: parts
                .map(|part| (part.models.len(), part.suites.len()))
                .collect(),
        })
    }

    /// Checks the definition of a reward.
    ///
    /// # Errors
    /// Fails if the definition, a rule or its options have mistakes, or this version has not all its
    /// observers.
    pub fn check_reward(&self, name: &str) -> Result<CheckedDefinition, SessionError> {
        let loaded = config::reward(name, Path::new(""))?;
        let reward = Reward::open(&loaded.definition)?;
        for (index, observer) in loaded.definition.observers.iter().enumerate() {
            if observe::find(observer).is_none() {
                return Err(unknown_observer(&loaded.document, index, observer).into());
            }
        }
        Ok(CheckedDefinition::Reward {
            components: loaded.definition.components.len(),
            fingerprint: reward.fingerprint(),
        })
    }

    /// Counts the assets in the cache and looks for damaged ones.
    ///
    /// # Errors
    /// Fails if a table of assets cannot be read.
    pub fn cached_assets(&self) -> Result<CachedAssets, SessionError> {
        let hub = self.hub()?;
        let entries = hub.list();
        let mut found = CachedAssets {
            all: entries.len(),
            present: 0,
            damaged: Vec::new(),
        };
        for entry in entries {
            match entry.state {
                AssetState::Present(_) => found.present += 1,
                AssetState::Corrupt(error) => {
                    found.damaged.push((entry.asset.id.clone(), error));
                }
                AssetState::Absent => {}
            }
        }
        Ok(found)
    }

    /// Checks what an observer of a suite needs. It does not fetch anything.
    ///
    /// # Errors
    /// Fails with [`SessionError::Observer`] if this version has no such observer, and with other errors if a
    /// setting names a checkpoint that the program does not contain.
    pub fn check_observer(
        &self,
        selected: &SelectedSuite,
        name: &str,
    ) -> Result<CheckedObserver, SessionError> {
        let settings = selected.suite.observe.get(name).cloned();
        let settings = locate_checkpoints(self, &settings.unwrap_or_default())?;
        let kind = observe::kind(name)?;
        let named = (kind.checkpoints)(&settings).unwrap_or_default();
        let (assets, settings_fault) = match (kind.assets)(&settings) {
            Ok(assets) => (assets, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let server = if self.is_offline() {
            Ok(Vec::new())
        } else {
            (kind.look)(&settings, self.cancel())
        };
        let hub = self.hub()?;
        let absent = assets.into_iter().filter_map(|asset| hub.path(asset).err());
        Ok(CheckedObserver {
            name: kind.name,
            checkpoints: named.into_iter().filter(|path| path.exists()).collect(),
            settings_fault,
            server,
            absent: absent.collect(),
        })
    }
}

/// The model that a name means as a target by itself. `None` if the name means a study, or a suite that
/// `models` are run on.
///
/// # Errors
/// Fails if there is no model of this name, or its definition has a mistake.
pub fn single_model(name: &str, models: &[String]) -> Result<Option<ModelFile>, ConfigError> {
    let model = config::model(name, Path::new(""))?.definition;
    let is_target = !models.is_empty() || config::study(name, Path::new("")).is_ok();
    Ok((!is_target).then_some(model))
}

/// Whether a name means a reward as a target: the file of a definition with components, or a name that
/// nothing else has. A target with `models` is a suite.
pub fn is_reward(name: &str, models: &[String]) -> bool {
    let from = Path::new("");
    if !models.is_empty() {
        return false;
    }
    if name.ends_with(".toml") {
        let document = Document::read(Path::new(name));
        return document.is_ok_and(|document| document.content().contains("[[components]]"));
    }
    let is_listed = |kind| config::list(kind).iter().any(|listed| listed.name == name);
    is_listed(Kind::Reward)
        && !is_listed(Kind::Suite)
        && config::study(name, from).is_err()
        && config::model(name, from).is_err()
}

/// The mistake of a reward that names an unknown observer, at its place in the list of observers.
fn unknown_observer(document: &Document, index: usize, observer: &str) -> ConfigError {
    let known: Vec<&str> = OBSERVERS.iter().map(|kind| kind.name).collect();
    let near = config::nearest(observer, known.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let help = format!("{near}the observers are {}", known.join(", "));
    let message = format!("there is no observer named `{observer}` in this version");
    document.mistake(&["observers", &index.to_string()], message, Some(help))
}

/// The bytes that are free on the disk of a folder, which need not exist.
///
/// # Errors
/// Fails if the system does not tell.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    let mut existing = folder.ancestors().filter(|path| path.is_dir());
    fs4::available_space(existing.next().unwrap_or(Path::new(".")))
}
