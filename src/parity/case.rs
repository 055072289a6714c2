//! A parity case: a folder with `case.json`, `inputs.safetensors`, `expected.safetensors` and usually
//! `checkpoint/`.

use crate::model::ModelError;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// Why a case cannot be run.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum CaseError {
    /// A file of the case cannot be read.
    #[error("{path}: {message}")]
    #[diagnostic(help(
        "a case is a folder with case.json, inputs.safetensors and expected.safetensors"
    ))]
    Read {
        /// The path of the file or folder.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The case names an unknown component.
    #[error("{path}: there is no component named `{name}`")]
    #[diagnostic(help("known: {known}"))]
    Unknown {
        /// The folder of the case.
        path: PathBuf,
        /// The name in `case.json`.
        name: String,
        /// The names of all components.
        known: String,
    },
    /// The component needs an input that the case does not have.
    #[error("{path}: the inputs have no `{name}`")]
    Input {
        /// The folder of the case.
        path: PathBuf,
        /// The name of the missing input.
        name: String,
    },
    /// The checkpoint cannot be loaded, or the computation fails.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] ModelError),
}

impl From<candle_core::Error> for CaseError {
    fn from(error: candle_core::Error) -> Self {
        Self::Model(error.into())
    }
}

#[derive(serde::Deserialize)]
struct Description {
    model: String,
    #[serde(default)]
    tolerance: BTreeMap<String, f64>,
    #[serde(flatten)]
    settings: serde_json::Map<String, serde_json::Value>,
}

/// One case.
pub struct Case {
    /// The folder of the case.
    pub path: PathBuf,
    /// The name of the component that it tests.
    pub model: String,
    tolerance: BTreeMap<String, f64>,
    settings: serde_json::Map<String, serde_json::Value>,
    /// The inputs of the component.
    pub inputs: Tensors,
    /// The tensors that it must produce.
    pub expected: Tensors,
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    /// Fails if a file is absent or damaged.
    pub fn open(path: &Path) -> Result<Self, CaseError> {
        let file = path.join("case.json");
        let wrong = |path: &Path, message: String| CaseError::Read {
            path: path.into(),
            message,
        };
        let text =
            std::fs::read_to_string(&file).map_err(|error| wrong(&file, error.to_string()))?;
        let description: Description =
            serde_json::from_str(&text).map_err(|error| wrong(&file, error.to_string()))?;
        let tensors = |name: &str| {
            let file = path.join(name);
            let tensors = candle_core::safetensors::load(&file, &Device::Cpu)
                .map_err(|error| wrong(&file, error.to_string()))?;
            Ok::<Tensors, CaseError>(tensors.into_iter().collect())
        };
        Ok(Self {
            path: path.into(),
            model: description.model,
            tolerance: description.tolerance,
            settings: description.settings,
            inputs: tensors("inputs.safetensors")?,
            expected: tensors("expected.safetensors")?,
        })
    }

    /// The folder of the weights.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    /// The value of another key of `case.json`.
    ///
    /// # Errors
    /// Fails if the key is absent or its value has another type.
    pub fn setting<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, CaseError> {
        let value = self.settings.get(name).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| CaseError::Read {
            path: self.path.join("case.json"),
            message: format!("`{name}`: {error}"),
        })
    }

    /// The input with this name.
    ///
    /// # Errors
    /// Fails if the case has no input with this name.
    pub fn input(&self, name: &str) -> Result<&Tensor, CaseError> {
        self.inputs.get(name).ok_or_else(|| CaseError::Input {
            path: self.path.clone(),
            name: name.into(),
        })
    }

    /// The whole numbers of the input with this name, flattened.
    ///
    /// # Errors
    /// Fails if the case has no input with this name, or if its numbers are not I64.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>, CaseError> {
        Ok(self.input(name)?.flatten_all()?.to_vec1()?)
    }

    /// The numbered inputs `name.0`, `name.1`, …, as (number, tensor).
    pub fn numbered<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a Tensor)> {
        (0..).map_while(move |number| Some((number, self.inputs.get(&format!("{name}.{number}"))?)))
    }

    /// The largest allowed absolute difference: the tensor's own entry, or else that of the longest
    /// `prefix*`.
    pub fn tolerance(&self, name: &str) -> f64 {
        let prefix = |key: &str| {
            key.strip_suffix('*')
                .is_some_and(|prefix| name.starts_with(prefix))
        };
        self.tolerance.get(name).copied().unwrap_or_else(|| {
            let matching = self.tolerance.iter().filter(|(key, _)| prefix(key));
            matching
                .max_by_key(|(key, _)| key.len())
                .map_or(0.0, |(_, &value)| value)
        })
    }
}

/// The cases at a path: the path itself, or the folders in it that have a `case.json`.
///
/// # Errors
/// Fails if the path cannot be listed or has no case.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, CaseError> {
    if path.join("case.json").is_file() {
        return Ok(vec![path.into()]);
    }
    let wrong = |message: String| CaseError::Read {
        path: path.into(),
        message,
    };
    let entries = std::fs::read_dir(path).map_err(|error| wrong(error.to_string()))?;
    let mut cases: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("case.json").is_file())
        .collect();
    cases.sort();
    if cases.is_empty() {
        return Err(wrong("there is no case in this folder".into()));
    }
    Ok(cases)
}
