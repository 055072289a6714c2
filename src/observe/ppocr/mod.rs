//! PP-OCR: text lines with polygons and confidences.
//!
//! The three networks (region detection, line direction, line recognition) and every step around them follow the
//! Python package rapidocr-onnxruntime 1.4.4, so that both read the same lines from the same picture.

mod lines;
mod onnx;
mod prepare;
mod regions;
mod runtime;
mod settings;
mod simplify;
mod widen;

pub use settings::PpOcrSettings;

use super::{ObserveError, Observer, Subject};
use image::RgbImage;
use lines::Characters;
use ort::environment::Environment;
use prepare::{Normalise, Page};
use rayon::prelude::*;
use regions::Map;
use runtime::Network;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Where the networks and the library that runs them are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PpOcrModels {
    /// ONNX file that finds text regions.
    pub detection: PathBuf,
    /// ONNX file that tells upright lines from upside-down ones.
    pub direction: PathBuf,
    /// ONNX file that reads a line; its metadata `character` lists the characters.
    pub recognition: PathBuf,
    /// ONNX Runtime's shared library, 1.17 or newer.
    pub runtime: PathBuf,
}

/// Why the observer could not be made ready.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PpOcrError {
    #[error("ONNX Runtime could not be loaded from {}: {reason}", file.display())]
    #[diagnostic(help("get it again with `unigauge fetch ppocr-v4`"))]
    Runtime { file: PathBuf, reason: String },
    #[error("the PP-OCR model {} could not be opened: {reason}", file.display())]
    #[diagnostic(help("get it again with `unigauge fetch ppocr-v4`"))]
    Model { file: PathBuf, reason: String },
    #[error("PP-OCR setting {mistake}")]
    #[diagnostic(help("correct it in the observer's settings, or leave it out for the default"))]
    Setting { mistake: String },
}

/// Reads text with PP-OCR. Give it to as many threads as there are cores: each works on its own picture.
pub struct PpOcr {
    models: PpOcrModels,
    settings: PpOcrSettings,
    environment: Environment,
    characters: Characters,
    for_detector: Normalise,
    for_lines: Normalise,
    identity: Value,
    /// The networks of the threads that are not reading at the moment.
    idle: Mutex<Vec<Networks>>,
}

/// One thread's networks.
struct Networks {
    detection: Network,
    direction: Network,
    recognition: Network,
}

impl Networks {
    fn open(
        environment: &Environment,
        models: &PpOcrModels,
        threads: usize,
    ) -> Result<Self, PpOcrError> {
        let open = |file| Network::open(environment, file, threads);
        Ok(Self {
            detection: open(&models.detection)?,
            direction: open(&models.direction)?,
            recognition: open(&models.recognition)?,
        })
    }
}

/// One line of the evidence.
struct Line {
    text: String,
    score: f64,
    polygon: regions::Quad,
}

impl PpOcr {
    /// Opens the networks once; further threads open their own when they first read.
    ///
    /// # Errors
    /// When a setting makes no sense, or the library or a model is absent, corrupt or of the wrong kind.
    pub fn load(models: &PpOcrModels, settings: PpOcrSettings) -> Result<Self, PpOcrError> {
        if let Some(mistake) = settings.mistake() {
            return Err(PpOcrError::Setting { mistake });
        }
        let environment = runtime::environment(&models.runtime)?;
        let networks = Networks::open(&environment, models, settings.threads)?;
        let Some(list) = networks.recognition.metadata("character") else {
            return Err(PpOcrError::Model {
                file: models.recognition.clone(),
                reason: "its metadata has no list of characters (key `character`)".into(),
            });
        };
        Ok(Self {
            identity: identity(models, &settings)?,
            models: models.clone(),
            settings,
            environment,
            characters: Characters::new(&list),
            for_detector: Normalise::detector(),
            for_lines: Normalise::line(),
            idle: Mutex::new(vec![networks]),
        })
    }

    fn evidence(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let Some(image) = subject.image else {
            return Err(ObserveError::new(
                "image",
                "ppocr looks at pictures, and this output has none",
            ));
        };
        let mut networks = self.take_networks()?;
        let lines = self.read(&mut networks, image);
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(networks);
        }
        let lines = lines
            .map_err(|error| ObserveError::new("ocr", format!("ONNX Runtime failed: {error}")))?;
        Ok(evidence(&lines))
    }

    fn take_networks(&self) -> Result<Networks, ObserveError> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        match idle {
            Some(networks) => Ok(networks),
            None => Networks::open(&self.environment, &self.models, self.settings.threads)
                .map_err(|error| ObserveError::new("ocr", error.to_string())),
        }
    }

    fn read(&self, networks: &mut Networks, image: &RgbImage) -> Result<Vec<Line>, ort::Error> {
        if image.width() == 0 || image.height() == 0 {
            return Ok(Vec::new());
        }
        let page = Page::new(image, &self.settings);
        let boxes = self.detect(&mut networks.detection, &page.image)?;
        let (boxes, mut crops): (Vec<_>, Vec<_>) = boxes
            .into_iter()
            .filter_map(|quad| Some((quad, lines::crop(&page.image, &quad)?)))
            .unzip();
        if self.settings.direction {
            lines::turn_upright(
                &mut networks.direction,
                &mut crops,
                &self.for_lines,
                self.settings.direction_batch,
                self.settings.direction_thresh,
            )?;
        }
        let readings = lines::read(
            &mut networks.recognition,
            &crops,
            &self.characters,
            &self.for_lines,
            self.settings.recognition_batch,
        )?;
        Ok(boxes
            .into_iter()
            .zip(readings)
            .filter(|(_, reading)| reading.score >= self.settings.text_score)
            .map(|(quad, reading)| Line {
                text: reading.text,
                score: reading.score,
                polygon: page.original(quad),
            })
            .collect())
    }

    fn detect(
        &self,
        network: &mut Network,
        page: &RgbImage,
    ) -> Result<Vec<regions::Quad>, ort::Error> {
        let (width, height) = prepare::detector_size(page.width(), page.height(), &self.settings);
        let (columns, rows) = (width as usize, height as usize);
        let mut input = vec![0.0; 3 * columns * rows];
        let resized = crate::image::cv::resize_linear(page, width, height);
        self.for_detector.fill(&resized, &mut input, columns);
        network.run([1, 3, rows, columns], &input, |output| {
            let [.., height, width] = output.shape[..] else {
                return Vec::new();
            };
            let map = Map {
                values: output.values,
                width,
                height,
            };
            regions::text_boxes(&map, page.dimensions(), &self.settings)
        })
    }
}

impl Observer for PpOcr {
    fn name(&self) -> &str {
        "ppocr"
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        match subjects {
            [only] => vec![self.evidence(only)],
            many => many
                .par_iter()
                .map(|subject| self.evidence(subject))
                .collect(),
        }
    }
}

fn evidence(lines: &[Line]) -> Value {
    let text: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| json!({"text": line.text, "score": line.score, "polygon": line.polygon}))
        .collect();
    json!({"engine": "ppocr", "lines": lines, "text": text.join("\n")})
}

/// Settings and file hashes. The number of threads changes no result and stays out.
fn identity(models: &PpOcrModels, settings: &PpOcrSettings) -> Result<Value, PpOcrError> {
    let mut settings = json!(settings);
    if let Some(settings) = settings.as_object_mut() {
        settings.remove("threads");
    }
    Ok(json!({
        "observer": "ppocr",
        "settings": settings,
        "detection": sha256(&models.detection)?,
        "direction": sha256(&models.direction)?,
        "recognition": sha256(&models.recognition)?,
        "runtime": ort::info(),
    }))
}

fn sha256(file: &Path) -> Result<String, PpOcrError> {
    let bytes = std::fs::read(file).map_err(|error| PpOcrError::Model {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
