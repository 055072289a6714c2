//! Which observers there are. Adding one is a file of its own and a line here in each list.

use super::Observer;
use super::clip_score::{self, ClipScore};
use super::edit_pixels::EditPixels;
use super::edit_similarity::{self, EditSimilarity};
use super::geneval_detector::{self, GenevalDetector};
use super::hpsv2::{self, HpsV2};
use super::mplug_vqa::{self, MplugVqa};
use super::ppocr::{PpOcr, PpOcrError, PpOcrModels};
use super::quality::QualityObserver;
use super::qwen::{QwenOcr, QwenVqa};
use crate::config::{ConfigError, Settings, nearest};
use crate::hub::{Hub, HubError};
use crate::model::ModelError;
use candle_core::Device;

/// The observers by the name that a suite's `observers` key takes.
pub const NAMES: [&str; 10] = [
    "clip-score",
    "edit-pixels",
    "edit-similarity",
    "geneval-detector",
    "hpsv2",
    "mplug-vqa",
    "ppocr",
    "quality",
    "qwen-ocr",
    "qwen-vqa",
];

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
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] ModelError),
    #[error("{mistake}")]
    #[diagnostic(help("correct it in the suite, or leave it out for the default"))]
    Value { mistake: String },
    #[error("{reason}")]
    #[diagnostic(help("take another `--device`"))]
    Device { reason: String },
}

impl BuildError {
    /// Whether a definition is at fault, not the machine.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Unknown { .. } | Self::Settings(_) | Self::Value { .. }
        )
    }
}

/// The assets that an observer needs.
///
/// # Errors
/// When there is no such observer.
pub fn assets(name: &str) -> Result<&'static [&'static str], BuildError> {
    match name {
        "clip-score" => Ok(&clip_score::ASSETS),
        "edit-pixels" | "quality" => Ok(&[]),
        "edit-similarity" => Ok(&edit_similarity::ASSETS),
        "geneval-detector" => Ok(&geneval_detector::ASSETS),
        "hpsv2" => Ok(&hpsv2::ASSETS),
        "mplug-vqa" => Ok(&mplug_vqa::ASSETS),
        "ppocr" => Ok(&PPOCR_ASSETS),
        // Their checkpoint is a folder that the settings name.
        "qwen-ocr" | "qwen-vqa" => Ok(&[]),
        _ => Err(unknown(name)),
    }
}

/// Opens the device that networks run on.
pub type OpenDevice<'a> = dyn Fn() -> Result<Device, String> + 'a;

/// Makes an observer; assets are fetched when absent and the network may be used. The device is opened only for an
/// observer whose networks run there.
///
/// # Errors
/// When there is no such observer, its options have mistakes, or an asset or the device cannot be had.
pub fn build(
    name: &str,
    settings: &Settings,
    hub: &Hub,
    device: &OpenDevice<'_>,
) -> Result<Box<dyn Observer>, BuildError> {
    let device = || device().map_err(|reason| BuildError::Device { reason });
    let value = |mistake| BuildError::Value { mistake };
    match name {
        "clip-score" => Ok(Box::new(ClipScore::open(
            &settings.read()?,
            hub,
            &device()?,
        )?)),
        "edit-pixels" => Ok(Box::new(EditPixels::new(settings.read()?).map_err(value)?)),
        "edit-similarity" => Ok(Box::new(EditSimilarity::open(
            &settings.read()?,
            hub,
            &device()?,
        )?)),
        "hpsv2" => Ok(Box::new(HpsV2::open(&settings.read()?, hub, &device()?)?)),
        "mplug-vqa" => Ok(Box::new(MplugVqa::open(
            &settings.read()?,
            hub,
            &device()?,
        )?)),
        "geneval-detector" => Ok(Box::new(GenevalDetector::open(
            &settings.read()?,
            hub,
            &device()?,
        )?)),
        "ppocr" => {
            let models = PpOcrModels {
                detection: hub.ensure("ppocr-v4-det")?,
                direction: hub.ensure("ppocr-v4-cls")?,
                recognition: hub.ensure("ppocr-v4-rec")?,
                runtime: hub.ensure("onnxruntime")?,
            };
            Ok(Box::new(PpOcr::load(&models, settings.read()?)?))
        }
        "quality" => Ok(Box::new(
            QualityObserver::new(settings.read()?).map_err(value)?,
        )),
        "qwen-ocr" => Ok(Box::new(QwenOcr::open(settings.read()?, &device()?)?)),
        "qwen-vqa" => Ok(Box::new(QwenVqa::open(settings.read()?, &device()?)?)),
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
