//! The checkpoints that a training begins from: beside its own, or those that come with the program.

use super::{Place, TrainError};
use crate::config::TrainingFile;
use crate::model::weights::{Files, Variables};
use candle_core::Device;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders by role.
pub struct Sources<'a> {
    training: &'a TrainingFile,
    place: &'a Place<'a>,
}

impl<'a> Sources<'a> {
    pub fn new(training: &'a TrainingFile, place: &'a Place<'a>) -> Self {
        Self { training, place }
    }

    /// The folder of a role; None when the definition does not name it.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn get(&self, role: &str) -> Result<Option<PathBuf>, TrainError> {
        let Some(named) = self.training.from.get(role) else {
            return Ok(None);
        };
        let meant = crate::hub::meant_folder(named).map_err(TrainError::definition)?;
        let named = meant.as_ref().unwrap_or(named);
        let own = named.components().count() == 1;
        let folder = match own {
            true => self.place.beside.join(named),
            false => named.clone(),
        };
        if folder.is_dir() {
            return Ok(Some(folder));
        }
        let shipped = match named.to_str() {
            Some(name) if own => (self.place.shipped)(name)?,
            _ => None,
        };
        shipped.map(Some).ok_or_else(|| TrainError::Source {
            role: role.to_owned(),
            named: named.clone(),
            path: folder,
        })
    }

    /// The parameters of a network of one folder, which begin with those of `from.begin` where that is named.
    ///
    /// # Errors
    /// When the folder is not there or has no weights.
    pub fn variables(&self, device: &Device) -> Result<Arc<Variables>, TrainError> {
        let begin = self.get("begin")?.map(|folder| files(&folder));
        let begin = begin.transpose()?.map(|files| (String::new(), files));
        let Self { training, .. } = self;
        Ok(Variables::from_base(
            training.seed,
            device.clone(),
            begin.into_iter().collect(),
            training.trainable.clone(),
        ))
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
