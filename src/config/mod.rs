//! TOML files of suites, models and studies.

mod settings;

pub use settings::{ConfigError, Settings};
