//! PP-OCR: text lines with polygons and confidences.
//!
//! The three networks (region detection, line direction, line recognition) and every step around them follow
//! the Python package rapidocr-onnxruntime 1.4.4, so that both read the same lines from the same picture. The
//! networks of PP-OCRv5 and PP-OCRv6 go through the same steps (package rapidocr 3.10.0).

mod error;
mod lines;
mod models;
mod onnx;
mod prepare;
mod quad;
mod regions;
mod runtime;
mod settings;
mod simplify;
mod widen;

pub use error::PpOcrError;
pub use models::PpOcrModels;
pub use settings::{Execution, PpOcrSettings};

use super::pictures::output_picture;
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::files::sha256_hex;
use crate::record::evidence::{self, Text, TextReading, written};
use image::RgbImage;
use lines::Characters;
use ort::environment::Environment;
use prepare::{Normalise, Page};
use quad::Quad;
use rayon::prelude::*;
use regions::Map;
use runtime::Network;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Mutex;

/// Reads text with PP-OCR. As many threads as there are cores may use it at the same time, each for its own
/// picture.
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

/// The networks of one thread.
struct Networks {
    detection: Network,
    direction: Network,
    recognition: Network,
}

impl Networks {
    fn open(
        environment: &Environment,
        models: &PpOcrModels,
        settings: &PpOcrSettings,
    ) -> Result<Self, PpOcrError> {
        let open = |file| Network::open(environment, file, settings);
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
    polygon: Quad,
}

impl PpOcr {
    /// Opens the networks of one thread. Further threads open their own when they first read.
    ///
    /// # Errors
    /// Fails if a setting has an impossible value, or if the library or a model is absent, damaged or of the
    /// wrong kind.
    pub fn load(models: &PpOcrModels, settings: PpOcrSettings) -> Result<Self, PpOcrError> {
        if let Some(mistake) = settings.mistake() {
            return Err(PpOcrError::Setting { mistake });
        }
        let environment = runtime::environment(&models.runtime)?;
        let networks = Networks::open(&environment, models, &settings)?;
        let characters = characters(models, &networks.recognition)?;
        Ok(Self {
            identity: identity(models, &settings)?,
            models: models.clone(),
            settings,
            environment,
            characters,
            for_detector: Normalise::detector(),
            for_lines: Normalise::line(),
            idle: Mutex::new(vec![networks]),
        })
    }

    fn evidence(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let image = output_picture(subject, Self::NAME)?;
        let mut networks = self.take_networks()?;
        let lines = self.read(&mut networks, image);
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(networks);
        }
        let lines = lines
            .map_err(|error| ObserveError::new("ocr", format!("ONNX Runtime failed: {error}")))?;
        Ok(written(&reading(&self.models.engine, &lines))?)
    }

    fn take_networks(&self) -> Result<Networks, ObserveError> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        match idle {
            Some(networks) => Ok(networks),
            None => Networks::open(&self.environment, &self.models, &self.settings)
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

    fn detect(&self, network: &mut Network, page: &RgbImage) -> Result<Vec<Quad>, ort::Error> {
        let (width, height) = prepare::detector_size(page.width(), page.height(), &self.settings);
        let (columns, rows) = (width as usize, height as usize);
        let mut input = vec![0.0; 3 * columns * rows];
        let resized = crate::image::cv::resize_linear(page, width, height);
        self.for_detector.fill_planes(&resized, &mut input, columns);
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

impl Described for PpOcr {
    type Settings = PpOcrSettings;
    const NAME: &'static str = "ppocr";
    const ABOUT: &'static str = "the lines of text in a picture with their places, read by PP-OCR";
    const PLACES: &'static [&'static str] = &[
        "detection_model",
        "dictionary",
        "models",
        "recognition_model",
        "runtime",
    ];

    fn assets(settings: &Settings) -> Result<Vec<&'static str>, BuildError> {
        Ok(models::assets(&settings.read()?)?)
    }

    fn engine(settings: &Settings) -> Result<Option<String>, BuildError> {
        Ok(Some(models::engine(&settings.read()?)?))
    }

    fn open(settings: PpOcrSettings, means: &Means<'_>) -> Result<Self, BuildError> {
        let models = PpOcrModels::from_settings(&settings, means.hub)??;
        Ok(Self::load(&models, settings)?)
    }
}

impl Observer for PpOcr {
    fn name(&self) -> &str {
        Self::NAME
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

/// The characters of the recognition model's classes, from the user's list or from the model itself.
fn characters(models: &PpOcrModels, network: &Network) -> Result<Characters, PpOcrError> {
    let (list, source) = match &models.dictionary {
        Some(file) => {
            let list = std::fs::read_to_string(file).map_err(|error| PpOcrError::Dictionary {
                file: file.clone(),
                reason: error.to_string(),
            })?;
            (list, file)
        }
        None => match network.metadata("character") {
            Some(list) => (list, &models.recognition),
            None => {
                return Err(PpOcrError::Model {
                    file: models.recognition.clone(),
                    reason: "its metadata has no list of characters (key `character`); set `dictionary` to one"
                        .into(),
                });
            }
        },
    };
    let characters = Characters::new(&list);
    match network.classes() {
        Some(classes) if classes != characters.classes() => Err(PpOcrError::Dictionary {
            file: source.clone(),
            reason: format!(
                "it has {} characters, but the model distinguishes {}",
                characters.classes() - 2,
                classes.saturating_sub(2)
            ),
        }),
        _ => Ok(characters),
    }
}

fn reading<'a>(engine: &'a str, lines: &'a [Line]) -> TextReading<'a> {
    let text: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let corner = |[x, y]: [f32; 2]| vec![f64::from(x), f64::from(y)];
    let line = |line: &'a Line| evidence::Line {
        text: Text::from(line.text.as_str()).into(),
        score: line.score.into(),
        polygon: line.polygon.map(corner).to_vec().into(),
    };
    TextReading {
        engine: Text::from(engine).into(),
        lines: lines
            .iter()
            .map(|read| line(read).into())
            .collect::<Vec<_>>()
            .into(),
        text: Text::from(text.join("\n")).into(),
        ..TextReading::default()
    }
}

/// The settings and the hashes of the files. The paths of the files and the number of threads are left out,
/// since they change no result.
fn identity(models: &PpOcrModels, settings: &PpOcrSettings) -> Result<Value, PpOcrError> {
    let mut identity = json!({
        "observer": PpOcr::NAME,
        "engine": models.engine,
        "settings": settings,
        "detection": sha256(&models.detection)?,
        "direction": sha256(&models.direction)?,
        "recognition": sha256(&models.recognition)?,
        "runtime": ort::info(),
    });
    if let Some(settings) = identity["settings"].as_object_mut() {
        settings.retain(|key, _| !settings::PLACES.contains(&key.as_str()) && key != "threads");
    }
    if let Some(file) = &models.dictionary {
        identity["dictionary"] = sha256(file)?.into();
    }
    Ok(identity)
}

fn sha256(file: &Path) -> Result<String, PpOcrError> {
    let bytes = std::fs::read(file).map_err(|error| PpOcrError::Model {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(sha256_hex(bytes))
}
