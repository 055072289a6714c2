//! The checkpoints that a training begins from.

use super::TrainError;
use crate::config::TrainingFile;
use crate::model::weights::Files;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders by role.
pub struct Sources<'a> {
    training: &'a TrainingFile,
    /// Where the checkpoints of other trainings lie.
    beside: &'a Path,
}

impl<'a> Sources<'a> {
    /// For a training whose checkpoint goes to `folder`.
    pub fn new(training: &'a TrainingFile, folder: &'a Path) -> Self {
        Self {
            training,
            beside: folder.parent().unwrap_or(Path::new("")),
        }
    }

    /// The folder of a role; None when the definition does not name it.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn get(&self, role: &str) -> Result<Option<PathBuf>, TrainError> {
        let Some(named) = self.training.from.get(role) else {
            return Ok(None);
        };
        let folder = match named.components().count() {
            1 => self.beside.join(named),
            _ => named.clone(),
        };
        match folder.is_dir() {
            true => Ok(Some(folder)),
            false => Err(TrainError::Source {
                role: role.to_owned(),
                named: named.clone(),
                path: folder,
            }),
        }
    }

    /// The folder of a role that the task cannot do without.
    ///
    /// # Errors
    /// When the definition does not name it, or the folder is not there.
    pub fn need(&self, role: &str) -> Result<PathBuf, TrainError> {
        self.get(role)?.ok_or_else(|| TrainError::Definition {
            message: format!("`from.{role}` is not set: this task needs a checkpoint there"),
        })
    }
}

/// Opens the weights of a folder.
///
/// # Errors
/// When there are none.
pub fn files(folder: &Path) -> Result<Arc<Files>, TrainError> {
    Ok(Arc::new(Files::open(folder)?))
}
