//! Why PP-OCR cannot be opened.

use std::path::PathBuf;

/// Why the observer cannot be opened.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PpOcrError {
    /// The library that runs the networks cannot be loaded.
    #[error("ONNX Runtime could not be loaded from {}: {reason}", file.display())]
    #[diagnostic(help("fetch it again with `unigauge fetch ppocr-v4`"))]
    Runtime {
        /// The library.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A network cannot be opened.
    #[error("the PP-OCR model {} could not be opened: {reason}", file.display())]
    #[diagnostic(help(
        "fetch it again with `unigauge fetch ppocr-v4` (or ppocr-v6), or set another file in the settings"
    ))]
    Model {
        /// The network's file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The setting `models` names no models.
    #[error("there are no PP-OCR models under `models` = {models:?}: {reason}")]
    #[diagnostic(help(
        "write \"v4\" or \"v6\", which can be fetched, or a folder with NAME_det.onnx, NAME_rec.onnx and a list of \
                       characters (.txt); PP-OCRv5 is such a folder"
    ))]
    Models {
        /// The setting's value.
        models: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The library cannot use a GPU.
    #[error("ONNX Runtime cannot run the network {} on a GPU: {reason}", file.display())]
    #[diagnostic(help(
        "`execution = \"cuda\"` needs a GPU build of ONNX Runtime with its CUDA and cuDNN libraries: name its \
                       libonnxruntime in `runtime`, or take `execution = \"cpu\"`"
    ))]
    Execution {
        /// The network's file.
        file: PathBuf,
        /// What the library says.
        reason: String,
    },
    /// The characters do not belong to the network.
    #[error("the list of characters {}: {reason}", file.display())]
    #[diagnostic(help("give the list of the recognition model, with one character on each line"))]
    Dictionary {
        /// The list.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting has an impossible value.
    #[error("PP-OCR setting {mistake}")]
    #[diagnostic(help("correct it in the observer's settings, or leave it out for the default"))]
    Setting {
        /// The setting, its value, and what was expected.
        mistake: String,
    },
}

impl PpOcrError {
    /// Whether a definition is at fault, not the machine.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Models { .. } | Self::Setting { .. })
    }
}
