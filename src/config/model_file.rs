//! The definition of a model: its generator, and the settings of the generator.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, Loaded, Origin, check_name, find};
use crate::config::python_model::find_python_model;
use crate::config::repository::Repository;
use crate::config::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A model as unigauge runs it (`configs/models/NAME.toml`).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Short name, used in paths: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// The name in tables and charts.
    pub title: String,
    /// What the model is, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// The generator that answers, by name; `unigauge list generators` names them all.
    pub generator: String,
    /// The languages of the prompts that the model understands (`en`, `zh`); empty means all.
    #[serde(default)]
    pub languages: Vec<String>,
    /// What one output costs if a server makes it, in any currency. The program tells what a run costs before
    /// it begins. No price is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub price_per_output: Option<f64>,
    /// Options of the generator.
    #[serde(default)]
    pub settings: Settings,
    /// Where the checkpoint in `settings.checkpoint` is published; `unigauge fetch NAME` downloads it.
    #[serde(default)]
    pub repositories: Vec<Repository>,
    /// What an output costs to compute, from which `unigauge check` estimates hours on common cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<ModelCost>,
    /// Notes below the results of a suite, by the suite's name, such as remarks on the published results.
    #[serde(default)]
    pub notes: BTreeMap<String, Vec<String>>,
    /// Options that differ for a suite, by the suite's name.
    #[serde(default)]
    pub presets: BTreeMap<String, Settings>,
}

/// The arithmetic of the network that makes pictures step by step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelCost {
    /// Of one evaluation, multiplications and additions apart, in TFLOP. Guidance takes two evaluations a step.
    pub tflop_per_evaluation: f64,
    /// Width and height of the picture for which this holds, in pixels.
    pub size: [u32; 2],
}

impl ModelFile {
    /// The generator's options for a suite: `settings` with the suite's preset over them.
    pub fn settings_for(&self, suite: &str) -> Settings {
        match self.presets.get(suite) {
            Some(preset) => self.settings.merged(preset),
            None => self.settings.clone(),
        }
    }
}

/// Loads a model by name or by the path of its file; a relative path starts from `from`. Without a TOML file,
/// `my_model.py`, `my_model.py:function`, `diffusers:REPO_OR_FOLDER` and `transformers:REPO_OR_FOLDER` name
/// models that Python runs.
///
/// # Errors
/// Fails if there is no such model or its definition has a mistake.
pub fn model(name: &str, from: &Path) -> Result<Loaded<ModelFile>, ConfigError> {
    let (document, origin) = match find_python_model(name, from) {
        Some(found) => found?,
        None => find(Kind::Model, name, from)?,
    };
    checked(document, origin)
}

/// The checks that go beyond types.
pub(super) fn checked(
    document: Document,
    origin: Origin,
) -> Result<Loaded<ModelFile>, ConfigError> {
    let mut model: ModelFile = document.typed()?;
    check_name(&document, &model.name)?;
    let price = model.price_per_output;
    if price.is_some_and(|price| !(price >= 0.0 && price.is_finite())) {
        let message = "`price_per_output` is not a price: it must be a number of 0 or more";
        return Err(document.mistake(&["price_per_output"], message, None));
    }
    model.settings = document.settings(&["settings"]);
    for (suite, preset) in &mut model.presets {
        *preset = document.settings(&["presets", suite]);
    }
    Ok(Loaded {
        definition: model,
        document,
        origin,
    })
}
