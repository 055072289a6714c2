//! Settings of the observer `ppocr`.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The settings that name files or folders.
pub(super) const PLACES: [&str; 6] = [
    "models",
    "detection_model",
    "direction_model",
    "recognition_model",
    "dictionary",
    "runtime",
];

/// The device that the networks run on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Execution {
    /// The processor.
    #[default]
    Cpu,
    /// The first GPU that CUDA shows.
    Cuda,
}

/// Settings of the PP-OCR observer. The defaults are those of the Python package rapidocr-onnxruntime 1.4.4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PpOcrSettings {
    /// `"v4"` or `"v6"`, which can be fetched, or a folder with models of your own (PP-OCRv5, other
    /// languages). The folder has ONNX files with `det`, `rec` and, if needed, `cls` in their names. It also
    /// has a list of characters (`.txt`) if the recognition model does not contain one.
    pub models: String,
    /// An ONNX file with a network that finds text regions, instead of that of `models`.
    pub detection_model: Option<PathBuf>,
    /// An ONNX file with a network that distinguishes upright lines from upside-down ones, instead of that of
    /// `models`.
    pub direction_model: Option<PathBuf>,
    /// An ONNX file with a network that reads a line, instead of that of `models`.
    pub recognition_model: Option<PathBuf>,
    /// A file with the characters of the recognition model, one on each line.
    pub dictionary: Option<PathBuf>,
    /// The shared library of ONNX Runtime, instead of the fetched one, which runs on the CPU.
    pub runtime: Option<PathBuf>,
    /// `"cpu"`, or `"cuda"` with a `runtime` that is built for it.
    pub execution: Execution,
    /// Lines that are read with less confidence (mean probability of the characters, 0–1) are dropped.
    pub text_score: f64,
    /// Pixels with a text probability above this form regions, 0–1.
    pub thresh: f32,
    /// Regions with a lower mean text probability are dropped, 0–1.
    pub box_thresh: f32,
    /// How far a region is widened to the full line: distance = area × ratio / perimeter.
    pub unclip_ratio: f64,
    /// The largest number of regions in a picture.
    pub max_candidates: usize,
    /// Pictures are enlarged until their shorter side has this many pixels before detection.
    pub limit_side_len: u32,
    /// Pictures with a longer side are shrunk first, in pixels.
    pub max_side_len: u32,
    /// Pictures with a shorter side are enlarged first, in pixels.
    pub min_side_len: u32,
    /// Whether lines that are upside down are turned. The direction network takes some long upright lines for
    /// turned ones. These are then misread and dropped.
    pub direction: bool,
    /// A line is turned if the direction network says with more than this probability, 0–1, that it is upside
    /// down.
    pub direction_thresh: f32,
    /// Number of lines that the direction network checks together.
    pub direction_batch: usize,
    /// Number of lines that are read together. They are padded to the widest line, so the number changes
    /// scores slightly.
    pub recognition_batch: usize,
    /// Number of threads of ONNX Runtime for one picture. Pictures are already read in parallel. The results
    /// are the same for any number.
    pub threads: usize,
}

impl Default for PpOcrSettings {
    fn default() -> Self {
        Self {
            models: "v4".into(),
            detection_model: None,
            direction_model: None,
            recognition_model: None,
            dictionary: None,
            runtime: None,
            execution: Execution::Cpu,
            text_score: 0.5,
            thresh: 0.3,
            box_thresh: 0.5,
            unclip_ratio: 1.6,
            max_candidates: 1000,
            limit_side_len: 736,
            max_side_len: 2000,
            min_side_len: 30,
            direction: true,
            direction_thresh: 0.9,
            direction_batch: 6,
            recognition_batch: 6,
            threads: 1,
        }
    }
}

impl PpOcrSettings {
    /// The first setting with an impossible value, and what was expected.
    pub(super) fn mistake(&self) -> Option<String> {
        let fractions = [
            ("text_score", self.text_score),
            ("thresh", f64::from(self.thresh)),
            ("box_thresh", f64::from(self.box_thresh)),
            ("direction_thresh", f64::from(self.direction_thresh)),
        ];
        for (name, value) in fractions {
            if !(0.0..=1.0).contains(&value) {
                return Some(format!("{name} is {value}; it must be 0 to 1"));
            }
        }
        if !(0.0..=10.0).contains(&self.unclip_ratio) {
            return Some(format!(
                "unclip_ratio is {}; it must be 0 to 10",
                self.unclip_ratio
            ));
        }
        let counts = [
            ("direction_batch", self.direction_batch, 1, 256),
            ("recognition_batch", self.recognition_batch, 1, 256),
            ("threads", self.threads, 1, 256),
            ("max_candidates", self.max_candidates, 1, 100_000),
            ("limit_side_len", self.limit_side_len as usize, 32, 4096),
            ("max_side_len", self.max_side_len as usize, 64, 8192),
            ("min_side_len", self.min_side_len as usize, 1, 1024),
        ];
        counts
            .iter()
            .find(|(_, value, low, high)| !(low..=high).contains(&value))
            .map(|(name, value, low, high)| {
                format!("{name} is {value}; it must be {low} to {high}")
            })
    }
}
