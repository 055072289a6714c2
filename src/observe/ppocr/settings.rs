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

/// What the networks run on.
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
    /// languages): ONNX files with `det`, `rec` and, if need be, `cls` in their names, and a list of
    /// characters (`.txt`) where the recognition model has none in it.
    pub models: String,
    /// An ONNX file that finds text regions, in place of that.
    pub detection_model: Option<PathBuf>,
    /// An ONNX file that tells upright lines from upside-down ones, in place of that.
    pub direction_model: Option<PathBuf>,
    /// An ONNX file that reads a line, in place of that.
    pub recognition_model: Option<PathBuf>,
    /// The characters of the recognition model, one a line.
    pub dictionary: Option<PathBuf>,
    /// ONNX Runtime's shared library in place of the fetched one, which runs on the CPU.
    pub runtime: Option<PathBuf>,
    /// `"cpu"`, or `"cuda"` with a `runtime` built for it.
    pub execution: Execution,
    /// Lines read with less confidence (mean character probability, 0–1) are dropped.
    pub text_score: f64,
    /// Pixels with a text probability above this form regions, 0–1.
    pub thresh: f32,
    /// Regions with a lower mean text probability are dropped, 0–1.
    pub box_thresh: f32,
    /// How far a region is widened to the full line: distance = area × ratio / perimeter.
    pub unclip_ratio: f64,
    /// At most this many regions a picture.
    pub max_candidates: usize,
    /// Pictures are enlarged until their shorter side has this many pixels before detection.
    pub limit_side_len: u32,
    /// Pictures with a longer side are shrunk first, in pixels.
    pub max_side_len: u32,
    /// Pictures with a shorter side are enlarged first, in pixels.
    pub min_side_len: u32,
    /// Whether lines are checked for standing upside down. The direction network takes some long upright
    /// lines for turned ones; they are then misread and dropped.
    pub direction: bool,
    /// A line is turned upside down when the direction network says so with more than this probability, 0–1.
    pub direction_thresh: f32,
    /// Lines that go through the direction network together.
    pub direction_batch: usize,
    /// Lines that are read together. They are padded to the widest, so the number changes scores slightly.
    pub recognition_batch: usize,
    /// Threads of ONNX Runtime for one picture. Pictures are read in parallel already; results are the same
    /// for any number.
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
    /// The first setting that makes no sense, with what was expected.
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
