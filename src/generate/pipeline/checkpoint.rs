//! The folder of a checkpoint: its configurations, the locations of its weights, and its open files.

use super::fault::fatal;
use crate::generate::error::GenerateError;
use crate::model::read_config;
use crate::model::weights::Files;
use candle_core::DType;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// The location of weights.
#[derive(Debug, Clone)]
pub struct Location {
    /// The name of the location in the output of `--keys`, such as `flux/vae`.
    pub label: String,
    /// The folder or the file.
    pub path: PathBuf,
}

/// The folder of a checkpoint, or a folder below it that has the layout of another checkpoint.
#[derive(Debug, Clone)]
pub struct CheckpointFolder {
    location: Location,
    dtype: DType,
    shelf: Shelf,
}

impl CheckpointFolder {
    /// The folder with this path. Its networks are loaded in `dtype`.
    pub fn new(path: &Path, dtype: DType) -> Self {
        Self {
            location: Location {
                label: String::new(),
                path: path.into(),
            },
            dtype,
            shelf: Shelf::default(),
        }
    }

    /// A folder below this one.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        Self {
            location: self.location_of(name),
            ..self.clone()
        }
    }

    /// The number format in which networks are loaded.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The location of the folder itself.
    pub fn location(&self) -> Location {
        self.location.clone()
    }

    /// The location of a file or folder in this folder.
    pub fn location_of(&self, name: &str) -> Location {
        let label = match self.location.label.as_str() {
            "" => name.into(),
            label => format!("{label}/{name}"),
        };
        Location {
            label,
            path: self.path().join(name),
        }
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.location.path
    }

    /// Reads a configuration in this folder.
    ///
    /// # Errors
    /// Fails if the configuration is absent or wrong.
    pub fn config<C: DeserializeOwned>(&self, name: &str) -> Result<C, GenerateError> {
        read_config(&self.path().join(name)).map_err(fatal)
    }

    /// The files that are open.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }
}

/// The open files of weights by their paths, so that networks in one file share it.
#[derive(Clone, Default)]
pub struct Shelf(Rc<RefCell<HashMap<PathBuf, Arc<Files>>>>);

impl Shelf {
    /// The weights in a folder or in one file.
    ///
    /// # Errors
    /// Fails if they are absent or damaged.
    pub fn open(&self, path: &Path) -> Result<Arc<Files>, GenerateError> {
        if let Some(files) = self.0.borrow().get(path) {
            return Ok(files.clone());
        }
        let files = Arc::new(Files::open(path).map_err(fatal)?);
        self.0.borrow_mut().insert(path.into(), files.clone());
        Ok(files)
    }
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.borrow().keys()).finish()
    }
}
