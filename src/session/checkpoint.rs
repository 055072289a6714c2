//! A model's checkpoint: which of its files exist on this machine, and what its networks require of it.

use super::{ConfiguredModel, Session, SessionError, locate_checkpoints};
use crate::config::{ModelFile, Repository, Settings};
use crate::files::FileError;
use crate::generate::{self, BuildError, Generator, GeneratorKind, Part, Place, Resources};
use crate::hub::{HubError, Snapshot};
use crate::run::RunError;
use candle_core::Device;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A model with the checkpoint that its settings name.
pub struct ModelCheckpoint {
    /// The definition of the model.
    pub model: ModelFile,
    /// The folder of the checkpoint, which need not exist. `None` if the settings name none.
    pub folder: Option<PathBuf>,
    /// The networks with the tensors that they read. `None` if the generator runs no networks in this
    /// process.
    pub parts: Option<Vec<Part>>,
    /// The arithmetic of one output in TFLOP. `None` if it is not known.
    pub tflop_per_output: Option<f64>,
    generator: &'static GeneratorKind,
    settings: Settings,
    /// Keeps the configurations of a checkpoint that does not exist yet, and scratch files of the networks.
    temporary: TempDir,
}

/// The files of a repository, and the folder that they belong into.
pub struct RepositoryFiles {
    /// What the repository has.
    pub snapshot: Snapshot,
    /// The folder of the files, which need not exist.
    pub folder: PathBuf,
}

impl ModelCheckpoint {
    /// Reads the configurations of the networks. If the checkpoint does not exist, it reads those of the
    /// released checkpoint. `gpu` says whether the networks are planned for a GPU.
    ///
    /// # Errors
    /// Fails if the settings of the model or a configuration have mistakes, or the temporary folder cannot be
    /// written.
    pub fn new(session: &Session, model: ModelFile, gpu: bool) -> Result<Self, SessionError> {
        let configured = ConfiguredModel::new(session, model, "")?;
        let tflop_per_output = configured.tflop_per_output()?;
        let ConfiguredModel {
            model,
            generator,
            settings,
            ..
        } = configured;
        let parent = std::env::temp_dir();
        let unwritable = FileError::of_action("cannot make a folder in", &parent);
        let temporary =
            tempfile::tempdir_in(&parent).map_err(|error| RunError::from(unwritable(error)))?;
        let folder = named_folder(&settings);
        let configurations = match &folder {
            Some(folder) => configurations(&model, folder, temporary.path())?,
            None => PathBuf::new(),
        };
        let parts = generator.parts(&settings, &configurations, gpu)?;
        Ok(Self {
            model,
            folder,
            parts,
            tflop_per_output,
            generator,
            settings,
            temporary,
        })
    }

    /// Whether the folder of the checkpoint exists.
    pub fn exists(&self) -> bool {
        self.folder.as_ref().is_some_and(|folder| folder.is_dir())
    }

    /// The folder that the files of a repository of this model belong into.
    pub fn folder_of(&self, repository: &Repository) -> PathBuf {
        let checkpoint = self.folder.as_deref().unwrap_or(Path::new(""));
        checkpoint.join(&repository.folder)
    }

    /// Opens the networks on the CPU, as a run does.
    ///
    /// # Errors
    /// Fails if the checkpoint cannot be opened.
    pub fn open(&self) -> Result<Box<dyn Generator>, BuildError> {
        let place = Place {
            device: Device::Cpu,
            vram_budget: None,
            scratch: self.temporary.path().into(),
        };
        let resources = Resources::default();
        self.generator.open(&self.settings, &resources, &place)
    }

    /// How the networks take turns in the memory of the device, a line each. The budget is in bytes. The
    /// lines are empty if the generator runs no networks in this process.
    pub fn memory_plan(&self, budget: Option<u64>) -> Vec<String> {
        let parts = self.parts.as_deref();
        parts.map_or_else(Vec::new, |parts| {
            generate::plan_lines(&generate::phases(parts), budget)
        })
    }
}

impl RepositoryFiles {
    /// Lists the files of a repository that belong into `folder`. It takes the listing that the first
    /// download kept there, or asks the hub.
    ///
    /// # Errors
    /// Fails if the hub cannot be asked.
    pub fn list(
        session: &Session,
        repository: &Repository,
        folder: PathBuf,
    ) -> Result<Self, HubError> {
        let Repository { repo, revision, .. } = repository;
        let is_wanted = |path: &str| repository.is_needed(path);
        let snapshot = session
            .hub()?
            .snapshot(repo, revision, &folder, &is_wanted)?;
        Ok(Self { snapshot, folder })
    }
}

/// The folder of a model's checkpoint, which need not exist. `None` if the settings name none.
///
/// # Errors
/// Fails if the settings name a checkpoint that the program does not contain.
pub fn checkpoint_folder(
    session: &Session,
    model: &ModelFile,
) -> Result<Option<PathBuf>, SessionError> {
    Ok(named_folder(&locate_checkpoints(session, &model.settings)?))
}

fn named_folder(settings: &Settings) -> Option<PathBuf> {
    match settings.to_json().get("checkpoint") {
        Some(Value::String(path)) => Some(PathBuf::from(path)),
        _ => None,
    }
}

/// The folder of the checkpoint's own configurations. If the checkpoint does not exist, those of the released
/// checkpoint are written into `temporary`.
fn configurations(
    model: &ModelFile,
    checkpoint: &Path,
    temporary: &Path,
) -> Result<PathBuf, SessionError> {
    if checkpoint.is_dir() || model.repositories.is_empty() {
        return Ok(checkpoint.into());
    }
    for repository in &model.repositories {
        let folder = temporary.join(&repository.folder);
        generate::lay_out_released(&repository.repo, &folder).map_err(RunError::from)?;
    }
    Ok(temporary.into())
}
