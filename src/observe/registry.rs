//! Which observers there are. Adding one is a file of its own and a line here in each list.

use super::Observer;
use super::clip_score::{self, ClipScore};
use super::geneval_detector::{self, GenevalDetector};
use super::hpsv2::{self, HpsV2};
use super::judge::{JudgeError, JudgeObserver};
use super::mplug_vqa::{self, MplugVqa};
use super::ppocr::{PpOcr, PpOcrError, PpOcrModels};
use super::qwen::{QwenOcr, QwenVqa};
use crate::config::{ConfigError, Settings, nearest};
use crate::hub::{Hub, HubError};
use crate::model::ModelError;
use candle_core::Device;

/// The observers by the name that a suite's `observers` key takes.
pub const NAMES: [&str; 8] = [
    "clip-score",
    "geneval-detector",
    "hpsv2",
    "judge",
    "mplug-vqa",
    "ppocr",
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
    #[error(transparent)]
    #[diagnostic(transparent)]
    Judge(#[from] JudgeError),
    #[error("{reason}")]
    #[diagnostic(help("take another `--device`"))]
    Device { reason: String },
}

impl BuildError {
    /// Whether a definition is at fault, not the machine.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Settings(_) => true,
            Self::Judge(error) => error.is_usage(),
            _ => false,
        }
    }
}

/// The assets that an observer needs.
///
/// # Errors
/// When there is no such observer.
pub fn assets(name: &str) -> Result<&'static [&'static str], BuildError> {
    match name {
        "clip-score" => Ok(&clip_score::ASSETS),
        "geneval-detector" => Ok(&geneval_detector::ASSETS),
        "hpsv2" => Ok(&hpsv2::ASSETS),
        "mplug-vqa" => Ok(&mplug_vqa::ASSETS),
        "ppocr" => Ok(&PPOCR_ASSETS),
        // What they need, the settings name.
        "judge" | "qwen-ocr" | "qwen-vqa" => Ok(&[]),
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
    let judge_device = || device().map_err(|reason| JudgeError::Device { reason });
    let device = || device().map_err(|reason| BuildError::Device { reason });
    match name {
        "clip-score" => Ok(Box::new(ClipScore::open(
            &settings.read()?,
            hub,
            &device()?,
        )?)),
        "hpsv2" => Ok(Box::new(HpsV2::open(&settings.read()?, hub, &device()?)?)),
        "judge" => Ok(Box::new(JudgeObserver::open(
            settings.read()?,
            hub,
            judge_device,
        )?)),
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
