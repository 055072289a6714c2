//! A table of options whose type is known only to the room that reads it.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A mistake in a definition file.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
    #[help]
    help: Option<String>,
}

/// The `[settings]` of a model or the `[grade.options]` of a suite, not yet typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Settings {
    table: toml::Table,
}

impl Settings {
    /// Reads the options as the type of the room that owns them.
    ///
    /// # Errors
    /// When a key is unknown or a value has the wrong type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        T::deserialize(toml::Value::Table(self.table.clone())).map_err(|error| ConfigError {
            message: error.to_string(),
            help: None,
        })
    }
}
