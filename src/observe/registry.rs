//! Which observers there are. Adding one is a file of its own and a line here in each list.

use super::Observer;
use super::clip_score::{self, ClipScore};
use super::edit_pixels::EditPixels;
use super::edit_similarity::{self, EditSimilarity};
use super::geneval_detector::{self, GenevalDetector};
use super::got_ocr::{self, GotOcr};
use super::hpsv2::{self, HpsV2};
use super::judge::{JudgeError, JudgeObserver};
use super::mplug_vqa::{self, MplugVqa};
use super::openai_ocr::{OpenAiOcr, OpenAiOcrSettings};
use super::ppocr::{self, PpOcr, PpOcrError, PpOcrModels, PpOcrSettings};
use super::quality::QualityObserver;
use super::qwen::{QwenOcr, QwenVqa, QwenVqaScore};
use super::vqascore::{self, VqaScore};
use super::world::{World, WorldSettings};
use crate::config::{ConfigError, Settings, nearest};
use crate::hub::{Hub, HubError};
use crate::model::ModelError;
use crate::remote::RemoteError;
use candle_core::Device;

/// The observers by the name that a suite's `observers` key takes.
pub const NAMES: &[&str] = &[
    "clip-score",
    "edit-pixels",
    "edit-similarity",
    "geneval-detector",
    "got-ocr",
    "hpsv2",
    "judge",
    "mplug-vqa",
    "openai-ocr",
    "ppocr",
    "quality",
    "qwen-ocr",
    "qwen-vqa",
    "qwen-vqascore",
    "vqascore",
    "world",
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
    Remote(#[from] RemoteError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Judge(#[from] JudgeError),
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
            Self::Unknown { .. }
                | Self::Settings(_)
                | Self::Value { .. }
                | Self::Remote(_)
                | Self::PpOcr(PpOcrError::Models { .. } | PpOcrError::Setting { .. })
        ) || matches!(self, Self::Judge(error) if error.is_usage())
    }
}

/// The assets that an observer needs.
///
/// # Errors
/// When there is no such observer, or its options have mistakes.
pub fn assets(name: &str, settings: &Settings) -> Result<Vec<&'static str>, BuildError> {
    match name {
        "clip-score" => Ok(clip_score::ASSETS.into()),
        "edit-pixels" | "quality" | "world" => Ok(Vec::new()),
        "edit-similarity" => Ok(edit_similarity::ASSETS.into()),
        "geneval-detector" => Ok(geneval_detector::ASSETS.into()),
        "got-ocr" => Ok(got_ocr::ASSETS.into()),
        "hpsv2" => Ok(hpsv2::ASSETS.into()),
        "mplug-vqa" => Ok(mplug_vqa::ASSETS.into()),
        "ppocr" => Ok(ppocr::assets(&settings.read()?)?),
        "vqascore" => Ok(vqascore::ASSETS.into()),
        // Their checkpoint is a folder that the settings name, or a server.
        "judge" | "openai-ocr" | "qwen-ocr" | "qwen-vqa" | "qwen-vqascore" => Ok(Vec::new()),
        _ => Err(unknown(name)),
    }
}

/// What reads the texts of pictures: the OCR engine's name for tables, or none when this observer reads no text.
///
/// # Errors
/// When the observer's options have mistakes.
pub fn engine(name: &str, settings: &Settings) -> Result<Option<String>, BuildError> {
    Ok(match name {
        "got-ocr" => Some("GOT-OCR2.0".to_owned()),
        "openai-ocr" => Some(settings.read::<OpenAiOcrSettings>()?.model),
        "ppocr" => Some(ppocr::engine(&settings.read()?)?),
        "qwen-ocr" => Some("Qwen2.5-VL".to_owned()),
        _ => None,
    })
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
    let value = |mistake| BuildError::Value { mistake };
    match name {
        "clip-score" => Ok(Box::new(ClipScore::open(
            &settings.read()?,
            hub,
            &device()?,
        )?)),
        "got-ocr" => Ok(Box::new(GotOcr::open(&settings.read()?, hub, &device()?)?)),
        "edit-pixels" => Ok(Box::new(EditPixels::new(settings.read()?).map_err(value)?)),
        "edit-similarity" => Ok(Box::new(EditSimilarity::open(
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
        "openai-ocr" => Ok(Box::new(OpenAiOcr::new(settings.read()?)?)),
        "ppocr" => {
            let settings: PpOcrSettings = settings.read()?;
            let models = PpOcrModels::of(&settings, hub)??;
            Ok(Box::new(PpOcr::load(&models, settings)?))
        }
        "quality" => Ok(Box::new(
            QualityObserver::new(settings.read()?).map_err(value)?,
        )),
        "qwen-ocr" => Ok(Box::new(QwenOcr::open(settings.read()?, &device()?)?)),
        "qwen-vqa" => Ok(Box::new(QwenVqa::open(settings.read()?, &device()?)?)),
        "qwen-vqascore" => Ok(Box::new(QwenVqaScore::open(settings.read()?, &device()?)?)),
        "vqascore" => Ok(Box::new(VqaScore::open(settings.read()?, hub, &device()?)?)),
        "world" => {
            settings.read::<WorldSettings>()?;
            Ok(Box::new(World))
        }
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> BuildError {
    let near = nearest(name, NAMES.iter().copied())
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
