//! The definition of a study: models × suites.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, Loaded, Origin, check_name, find};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Models and suites that are run and compared together (`configs/studies/NAME.toml`).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyFile {
    /// Short name, used in paths: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// The heading of the comparison.
    pub title: String,
    /// What the study asks, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// Names of models, or paths of their files relative to this file.
    #[schemars(length(min = 1))]
    pub models: Vec<String>,
    /// Names of suites, or paths of their files relative to this file.
    #[schemars(length(min = 1))]
    pub suites: Vec<String>,
    /// OCR engines: each suite is run once with each of these choices. `{}` is the suite's own.
    #[serde(default)]
    pub engines: Vec<StudyEngine>,
    /// Outputs asked for per item, in place of each suite's own number.
    #[serde(default)]
    pub repeats: Option<u32>,
    /// Only the first so many items of each suite.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Whether the tables show what papers printed (`results/published/SUITE.toml`) below the measured rows.
    #[serde(default)]
    pub published: bool,
    /// The run seed that every output's own seed is derived from.
    #[serde(default)]
    pub seed: Option<u64>,
}

/// A choice of OCR engine, as `--observer` and `--set` of a run make it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StudyEngine {
    /// OCR observers that read instead of the suite's own.
    pub observers: Vec<String>,
    /// Options of observers, such as `observe.ppocr.models = "v6"`.
    pub set: Vec<String>,
}

/// Loads a study by name or by the path of its file; a relative path starts from `from`.
///
/// # Errors
/// When there is no such study or its definition has a mistake.
pub fn study(name: &str, from: &Path) -> Result<Loaded<StudyFile>, ConfigError> {
    let (document, origin) = find(Kind::Study, name, from)?;
    checked(document, origin)
}

/// The checks that go beyond types.
pub(super) fn checked(
    document: Document,
    origin: Origin,
) -> Result<Loaded<StudyFile>, ConfigError> {
    let study: StudyFile = document.typed()?;
    check_name(&document, &study.name)?;
    for (key, names) in [("models", &study.models), ("suites", &study.suites)] {
        if names.is_empty() {
            let message = format!("a study needs at least one of `{key}`");
            return Err(document.mistake(&[key], message, None));
        }
        if let Some(index) = (1..names.len()).find(|index| names[..*index].contains(&names[*index]))
        {
            let message = format!("`{}` stands here twice", names[index]);
            return Err(document.mistake(&[key, &index.to_string()], message, None));
        }
    }
    if study.repeats == Some(0) {
        return Err(document.mistake(&["repeats"], "`repeats` must be at least 1", None));
    }
    Ok(Loaded {
        definition: study,
        document,
        origin,
    })
}
