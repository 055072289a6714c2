//! The checkpoints that a training begins from. They lie beside its own, or come with the program.

use super::TrainError;
use super::place::Place;
use crate::model::weights::Files;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders by role.
pub struct Sources<'a> {
    from: &'a BTreeMap<String, PathBuf>,
    place: &'a Place<'a>,
}

impl<'a> Sources<'a> {
    /// The folders that a definition names, beside the place of the training.
    pub fn new(from: &'a BTreeMap<String, PathBuf>, place: &'a Place<'a>) -> Self {
        Self { from, place }
    }

    /// The folder of a role. `None` if the definition does not name it.
    ///
    /// # Errors
    /// Fails if the folder is not there.
    pub fn get(&self, role: &str) -> Result<Option<PathBuf>, TrainError> {
        let Some(named) = self.from.get(role) else {
            return Ok(None);
        };
        let meant = crate::hub::meant_folder(named).map_err(TrainError::definition)?;
        let named = meant.as_ref().unwrap_or(named);
        let own = named.components().count() == 1;
        let folder = if own {
            self.place.beside.join(named)
        } else {
            named.clone()
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

    /// The folder of a role that the task cannot do without.
    ///
    /// # Errors
    /// Fails if the definition does not name it, or the folder is not there.
    pub fn need(&self, role: &str) -> Result<PathBuf, TrainError> {
        self.get(role)?.ok_or_else(|| TrainError::Definition {
            message: format!("`from.{role}` is not set: this task needs a checkpoint there"),
        })
    }
}

/// Opens the weights of a folder.
///
/// # Errors
/// Fails if there are none.
pub(super) fn files(folder: &Path) -> Result<Arc<Files>, TrainError> {
    Ok(Arc::new(Files::open(folder)?))
}
