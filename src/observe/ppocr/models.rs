//! The networks to run: networks that can be fetched, or the user's own files.

use super::{PpOcrError, PpOcrSettings};
use crate::hub::{Hub, HubError};
use std::path::{Path, PathBuf};

/// Where the networks and the library that runs them are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PpOcrModels {
    /// Their name in the evidence.
    pub engine: String,
    /// The ONNX file of the network that finds text regions.
    pub detection: PathBuf,
    /// The ONNX file of the network that distinguishes upright lines from upside-down ones.
    pub direction: PathBuf,
    /// The ONNX file of the network that reads a line. Its metadata `character` lists the characters.
    pub recognition: PathBuf,
    /// The characters, one on each line, for a recognition model without that list.
    pub dictionary: Option<PathBuf>,
    /// The shared library of ONNX Runtime, version 1.17 or newer.
    pub runtime: PathBuf,
}

/// The models that can be fetched: the setting, the engine, the network for detection and the network for
/// recognition.
const FETCHED: [[&str; 4]; 2] = [
    ["v4", "PP-OCRv4", "ppocr-v4-det", "ppocr-v4-rec"],
    ["v6", "PP-OCRv6", "ppocr-v6-det", "ppocr-v6-rec"],
];
/// This network is the same for all versions.
const DIRECTION: &str = "ppocr-v4-cls";
const RUNTIME: &str = "onnxruntime";

/// An asset, or a file of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Asset(&'static str),
    File(PathBuf),
}

/// The places of all parts, before anything is fetched.
struct Places {
    engine: String,
    detection: Place,
    direction: Place,
    recognition: Place,
    dictionary: Option<PathBuf>,
    runtime: Place,
}

impl PpOcrModels {
    /// Finds the models that the settings ask for. An absent asset is fetched if the network may be used.
    ///
    /// # Errors
    /// The outer error says that the settings name no models. The inner error says that an asset cannot be
    /// obtained.
    pub fn from_settings(
        settings: &PpOcrSettings,
        hub: &Hub,
    ) -> Result<Result<Self, HubError>, PpOcrError> {
        let places = find_places(settings)?;
        let had = |place: Place| match place {
            Place::Asset(id) => hub.ensure(id),
            Place::File(path) => Ok(path),
        };
        let models = || {
            Ok(Self {
                engine: places.engine,
                detection: had(places.detection)?,
                direction: had(places.direction)?,
                recognition: had(places.recognition)?,
                dictionary: places.dictionary,
                runtime: had(places.runtime)?,
            })
        };
        Ok(models())
    }
}

/// The name of these models in the evidence: `PP-OCRv4`, or a name from the user's files.
///
/// # Errors
/// Fails if the settings name no models.
pub(super) fn engine(settings: &PpOcrSettings) -> Result<String, PpOcrError> {
    Ok(find_places(settings)?.engine)
}

/// The assets that the settings ask for.
///
/// # Errors
/// Fails if the settings name no models.
pub(super) fn assets(settings: &PpOcrSettings) -> Result<Vec<&'static str>, PpOcrError> {
    let places = find_places(settings)?;
    let all = [
        places.detection,
        places.direction,
        places.recognition,
        places.runtime,
    ];
    let assets = all.into_iter().filter_map(|place| match place {
        Place::Asset(id) => Some(id),
        Place::File(_) => None,
    });
    Ok(assets.collect())
}

fn find_places(settings: &PpOcrSettings) -> Result<Places, PpOcrError> {
    let file = |own: &Option<PathBuf>| own.clone().map(Place::File);
    let fetched = FETCHED
        .iter()
        .find(|[name, ..]| *name == settings.models.as_str());
    let mut places = match fetched {
        Some([_, engine, detection, recognition]) => Places {
            engine: (*engine).to_owned(),
            detection: Place::Asset(detection),
            direction: Place::Asset(DIRECTION),
            recognition: Place::Asset(recognition),
            dictionary: None,
            runtime: Place::Asset(RUNTIME),
        },
        None => in_folder(settings)?,
    };
    if let Some(own) = &settings.recognition_model {
        places.engine = named_after(own);
        // A list that belongs to other models does not belong to this one.
        places.dictionary = None;
    }
    places.dictionary = settings.dictionary.clone().or(places.dictionary);
    places.detection = file(&settings.detection_model).unwrap_or(places.detection);
    places.direction = file(&settings.direction_model).unwrap_or(places.direction);
    places.recognition = file(&settings.recognition_model).unwrap_or(places.recognition);
    places.runtime = file(&settings.runtime).unwrap_or(places.runtime);
    Ok(places)
}

/// The models of a folder. They are the ONNX files with `det`, `rec` and, if there is one, `cls` in their
/// names. The list of characters is a `.txt` file.
fn in_folder(settings: &PpOcrSettings) -> Result<Places, PpOcrError> {
    let folder = Path::new(&settings.models);
    let wrong = |reason: String| PpOcrError::Models {
        models: settings.models.clone(),
        reason,
    };
    if !folder.is_dir() {
        return Err(wrong("there is no such folder".into()));
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| wrong(error.to_string()))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let with = |extension: &str, part: &str| -> Result<Option<PathBuf>, PpOcrError> {
        let mut found = files.iter().filter(|path| {
            let ends = path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case(extension));
            ends && stem(path).to_ascii_lowercase().contains(part)
        });
        match (found.next(), found.next()) {
            (Some(one), Some(other)) => Err(wrong(format!(
                "{} and {} both have `{part}` in their names",
                one.display(),
                other.display()
            ))),
            (one, _) => Ok(one.cloned()),
        }
    };
    let needed = |part: &str, own: &Option<PathBuf>| match own {
        Some(own) => Ok(own.clone()),
        None => with("onnx", part)?
            .ok_or_else(|| wrong(format!("there is no .onnx file with `{part}` in its name"))),
    };
    let recognition = needed("rec", &settings.recognition_model)?;
    Ok(Places {
        engine: named_after(&recognition),
        detection: Place::File(needed("det", &settings.detection_model)?),
        direction: with("onnx", "cls")?.map_or(Place::Asset(DIRECTION), Place::File),
        recognition: Place::File(recognition),
        dictionary: match settings.dictionary {
            Some(_) => None,
            None => with("txt", "")?,
        },
        runtime: Place::Asset(RUNTIME),
    })
}

/// `PP-OCRv5 (latin_PP-OCRv5_rec_mobile)` for latin_PP-OCRv5_rec_mobile.onnx.
fn named_after(recognition: &Path) -> String {
    let name = stem(recognition);
    let version = name.to_ascii_lowercase();
    let version = version
        .split_once("ocrv")
        .and_then(|(_, rest)| rest.chars().next())
        .filter(char::is_ascii_digit);
    match version {
        Some(version) => format!("PP-OCRv{version} ({name})"),
        None => format!("PP-OCR ({name})"),
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
