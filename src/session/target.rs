//! The target of a run: suites with models, or a study.

use super::{ItemSelection, SessionError};
use crate::config::{self, Kind, StudyEngine, StudyFile};
use crate::study::{Part, StudyModel};
use crate::train::RECORD;
use std::path::{Path, PathBuf};

/// Suites with the models that are run on them.
pub struct RunTarget {
    /// The parts, in the order of the study.
    pub parts: Vec<Part>,
    /// The folder that names in a study file start from.
    pub from: PathBuf,
    /// The study, when the target is one.
    pub study: Option<StudyFile>,
}

impl RunTarget {
    /// Loads a suite if there are models, and otherwise a study.
    ///
    /// # Errors
    /// Fails if there is no study of this name. If there is a suite of this name, the error asks for models.
    pub fn load(name: &str, models: &[String]) -> Result<Self, SessionError> {
        if !models.is_empty() {
            return Ok(Self {
                parts: vec![Part {
                    suites: vec![name.into()],
                    models: StudyModel::plain(models),
                }],
                from: PathBuf::new(),
                study: None,
            });
        }
        match config::study(name, Path::new("")) {
            Ok(study) => Ok(Self {
                parts: study.definition.parts(),
                from: study.base().to_path_buf(),
                study: Some(study.definition),
            }),
            Err(_)
                if config::list(Kind::Suite)
                    .iter()
                    .any(|suite| suite.name == name) =>
            {
                Err(SessionError::NoModel { suite: name.into() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Every suite with the models that are run on it.
    pub fn suites(&self) -> impl Iterator<Item = (&String, &Vec<StudyModel>)> {
        let parts = self.parts.iter();
        parts.flat_map(|part| part.suites.iter().map(|suite| (suite, &part.models)))
    }

    /// Checks that all networks are there that the study trains; `asked` is the name that the user gave the
    /// study.
    ///
    /// # Errors
    /// [`SessionError::NotTrained`]
    pub fn check_trained(&self, asked: &str) -> Result<(), SessionError> {
        let mut absent = Vec::new();
        for model in self.parts.iter().flat_map(|part| &part.models) {
            if let Some(folder) = model.checkpoint(&self.from)?
                && !folder.join(RECORD).is_file()
            {
                absent.push(folder.display().to_string());
            }
        }
        match &absent[..] {
            [] => Ok(()),
            [first, others @ ..] => Err(SessionError::NotTrained {
                first: first.clone(),
                others: others.len(),
                study: asked.to_owned(),
            }),
        }
    }

    /// The selections for each suite, one for each OCR engine of the study. The choice of the user replaces
    /// that of the study.
    pub fn selections(&self, asked: &ItemSelection) -> Vec<ItemSelection> {
        let study = self.study.as_ref();
        let own = [StudyEngine::default()];
        let engines = match study {
            Some(study) if !study.engines.is_empty() && asked.observers.is_empty() => {
                study.engines.as_slice()
            }
            _ => &own,
        };
        let with_engine = |engine: &StudyEngine| ItemSelection {
            limit: asked.limit.or(study.and_then(|study| study.limit)),
            only: asked.only.clone(),
            observers: match &asked.observers[..] {
                [] => engine.observers.clone(),
                asked => asked.to_vec(),
            },
            set: engine.set.iter().chain(&asked.set).cloned().collect(),
        };
        engines.iter().map(with_engine).collect()
    }
}

/// The seeds of the runs: the one that the user asks for, else the study's, else 0. `name` is the run's name
/// that the user gives.
///
/// # Errors
/// [`SessionError::SharedName`]
pub fn run_seeds(
    study: Option<&StudyFile>,
    asked: Option<u64>,
    name: Option<&str>,
) -> Result<Vec<u64>, SessionError> {
    let study = study.map(StudyFile::run_seeds).unwrap_or_default();
    match (asked, name, &study[..]) {
        (Some(seed), ..) => Ok(vec![seed]),
        (None, _, []) => Ok(vec![0]),
        (None, Some(name), [_, _, ..]) => Err(SessionError::SharedName {
            seeds: study.len(),
            name: name.to_owned(),
        }),
        _ => Ok(study),
    }
}
