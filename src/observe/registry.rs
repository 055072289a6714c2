//! Which observers there are. Adding one is a file of its own and a line here in each list.

use super::Observer;
use super::ppocr::{PpOcr, PpOcrError, PpOcrModels};
use crate::config::{ConfigError, Settings, nearest};
use crate::hub::{Hub, HubError};

/// The observers by the name that a suite's `observers` key takes.
pub const NAMES: [&str; 1] = ["ppocr"];

const PPOCR_ASSETS: [&str; 4] = [
    "ppocr-v4-det",
    "ppocr-v4-cls",
    "ppocr-v4-rec",
    "onnxruntime",
];

/// Why an observer cannot be made.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BuildError {
    #[error("there is no observer named `{name}` in this version")]
    Unknown {
        name: String,
        #[help]
        help: String,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Settings(#[from] ConfigError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Asset(#[from] HubError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    PpOcr(#[from] PpOcrError),
}

impl BuildError {
    /// Whether a definition is at fault, not the machine.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Settings(_))
    }
}

/// The assets that an observer needs.
///
/// # Errors
/// When there is no such observer.
pub fn assets(name: &str) -> Result<&'static [&'static str], BuildError> {
    match name {
        "ppocr" => Ok(&PPOCR_ASSETS),
        _ => Err(unknown(name)),
    }
}

/// Makes an observer; assets are fetched when absent and the network may be used.
///
/// # Errors
/// When there is no such observer, its options have mistakes, or an asset cannot be had.
pub fn build(name: &str, settings: &Settings, hub: &Hub) -> Result<Box<dyn Observer>, BuildError> {
    match name {
        "ppocr" => {
            let models = PpOcrModels {
                detection: hub.ensure("ppocr-v4-det")?,
                direction: hub.ensure("ppocr-v4-cls")?,
                recognition: hub.ensure("ppocr-v4-rec")?,
                runtime: hub.ensure("onnxruntime")?,
            };
            Ok(Box::new(PpOcr::load(&models, settings.read()?)?))
        }
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> BuildError {
    let near = nearest(name, NAMES)
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    BuildError::Unknown {
        name: name.into(),
        help: format!(
            "{near}known: {}; evidence that others made is graded with `unigauge grade`",
            NAMES.join(", ")
        ),
    }
}
