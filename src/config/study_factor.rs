//! The part of a study that makes it an ablation: one factor, its levels, what they cost, curves beside them.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::check_plain;
use crate::config::metric::Metric;
use crate::config::settings::Settings;
use crate::config::study_file::StudyFile;
use crate::text::nearest::nearest;
use serde::{Deserialize, Serialize};

/// What is varied, such as the reference encoder.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// What the levels are levels of, such as "reference encoder".
    pub title: String,
    /// The name of the level that the others are compared with.
    pub control: String,
    #[schemars(length(min = 1))]
    pub levels: Vec<Level>,
}

/// One setting of the factor.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Short name.
    pub name: String,
    /// As printed. Default: the name.
    #[serde(default)]
    pub title: Option<String>,
    /// Models that are run, once with each of the study's seeds: names, or paths relative to this file.
    #[serde(default)]
    pub models: Vec<String>,
    /// A training, by name or by a path relative to this file, that `unigauge train STUDY` does once with each of the study's
    /// `training_seeds`: the models take its checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<String>,
    /// Options that go over the models' own.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
    /// Run folders that were made otherwise, relative to this file.
    #[serde(default)]
    pub runs: Vec<String>,
    /// What the level costs, in the unit that `[cost]` names.
    #[serde(default)]
    pub cost: Option<f64>,
}

impl Level {
    /// As printed.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// Whether the models are run otherwise than their files say.
    pub fn changes_models(&self) -> bool {
        self.training.is_some() || !self.settings.is_empty()
    }
}

/// The cost that scores are held against.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// What the numbers are, such as "parameters, billions" or "GPU hours". Default for measured ones: what was measured.
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub of: CostOf,
}

/// Where the numbers of a cost come from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CostOf {
    /// Each level's `cost`.
    #[default]
    Given,
    /// Measured: mean seconds that an output took to be made.
    Seconds,
}

impl Cost {
    /// The heading of the column and the axis.
    pub fn title(&self) -> &str {
        match (&self.title, self.of) {
            (Some(title), _) => title,
            (None, CostOf::Seconds) => "seconds per output",
            (None, CostOf::Given) => "cost",
        }
    }
}

/// Series over steps, such as a training log.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    /// The level that the files belong to.
    pub level: String,
    /// CSV files with a header or JSON Lines, relative to this file. Several are repeats over seeds: the line is their mean,
    /// the band reaches from the lowest to the highest.
    #[schemars(length(min = 1))]
    pub files: Vec<String>,
    /// The column of the steps.
    #[serde(default = "step")]
    pub step: String,
    /// Columns that are drawn, one chart for each name.
    #[schemars(length(min = 1))]
    pub values: Vec<String>,
}

fn step() -> String {
    "step".to_owned()
}

/// Lets mistakes in the levels' options point at their lines.
pub(super) fn locate(document: &Document, study: &mut StudyFile) {
    let levels = study.factor.iter_mut().flat_map(|f| &mut f.levels);
    for (at, level) in levels.enumerate() {
        let index = at.to_string();
        level.settings = document.settings(&["factor", "levels", &index, "settings"]);
    }
}

/// The checks of a study's factor that go beyond types.
pub(super) fn check(document: &Document, study: &StudyFile) -> Result<(), ConfigError> {
    let mistake = |path: &[&str], message: &str, help: Option<String>| {
        Err(document.mistake(path, message, help))
    };
    let Some(factor) = &study.factor else {
        let only = [
            ("primary", study.primary.is_some()),
            ("cost", study.cost.is_some()),
            ("curves", !study.curves.is_empty()),
            ("training_seeds", !study.training_seeds.is_empty()),
            ("training_curves", !study.training_curves.is_empty()),
        ];
        return match only.into_iter().find(|(_, there)| *there) {
            Some((key, _)) => mistake(
                &[key],
                &format!("`{key}` is for studies with a `[factor]`"),
                None,
            ),
            None => Ok(()),
        };
    };
    if !study.models.is_empty() {
        let help = "name them as `models` of a level".to_owned();
        return mistake(
            &["models"],
            "the models of a study with a factor stand at its levels",
            Some(help),
        );
    }
    if !study.engines.is_empty() {
        let message = "a study with a factor reads with the suite's own engine";
        return mistake(&["engines"], message, None);
    }
    if let Some(Metric::Groups(by)) = &study.primary {
        let message = format!("`{by}=*` names many numbers, and the primary metric is one");
        return mistake(&["primary"], &message, None);
    }
    levels(document, factor)?;
    trainings(document, study, factor)?;
    costs(document, study, factor)?;
    curves(document, study, factor)
}

fn levels(document: &Document, factor: &Factor) -> Result<(), ConfigError> {
    let names: Vec<&str> = factor.levels.iter().map(|l| l.name.as_str()).collect();
    if names.is_empty() {
        let message = "a factor needs at least one level";
        return Err(document.mistake(&["factor", "levels"], message, None));
    }
    let mut models = Vec::new();
    for (at, level) in factor.levels.iter().enumerate() {
        let index = at.to_string();
        let own = ["factor", "levels", &index];
        if level.name.trim().is_empty() {
            return Err(document.mistake(
                &[&own[..], &["name"]].concat(),
                "a level needs a name",
                None,
            ));
        }
        if names[..at].contains(&names[at]) {
            let message = format!("the level `{}` stands here twice", level.name);
            return Err(document.mistake(&[&own[..], &["name"]].concat(), message, None));
        }
        if level.models.is_empty() && level.runs.is_empty() {
            let message = format!("the level `{}` has neither `models` nor `runs`", level.name);
            return Err(document.mistake(&own, message, None));
        }
        if level.changes_models() {
            let path = [&own[..], &["name"]].concat();
            check_plain(document, &path, &level.name)?;
            if level.models.is_empty() {
                let message = format!("the level `{}` changes models and names none", level.name);
                return Err(document.mistake(&own, message, None));
            }
        }
        for (key, list) in [("models", &level.models), ("runs", &level.runs)] {
            // Levels may change one model each in its own way.
            if key == "models" && level.changes_models() {
                continue;
            }
            for (place, name) in list.iter().enumerate() {
                if models.contains(&(key, name)) {
                    let message = format!("`{name}` stands in this study twice");
                    let place = place.to_string();
                    let path = [&own[..], &[key, &place]].concat();
                    return Err(document.mistake(&path, message, None));
                }
                models.push((key, name));
            }
        }
    }
    known(document, &["factor", "control"], &factor.control, &names)
}

/// What is said of trainings needs a level that has one.
fn trainings(document: &Document, study: &StudyFile, factor: &Factor) -> Result<(), ConfigError> {
    let trained = factor.levels.iter().any(|level| level.training.is_some());
    let said = [
        ("training_seeds", !study.training_seeds.is_empty()),
        ("training_curves", !study.training_curves.is_empty()),
    ];
    if let Some((key, _)) = said.into_iter().find(|(_, there)| *there && !trained) {
        let message = format!("`{key}` is for studies with a `training` at a level");
        return Err(document.mistake(&[key], message, None));
    }
    let seeds = &study.training_seeds;
    if let Some(at) = (1..seeds.len()).find(|at| seeds[..*at].contains(&seeds[*at])) {
        let message = format!("the seed {} stands here twice", seeds[at]);
        return Err(document.mistake(&["training_seeds", &at.to_string()], message, None));
    }
    Ok(())
}

/// Points at a name that is no level's.
fn known(
    document: &Document,
    path: &[&str],
    name: &str,
    levels: &[&str],
) -> Result<(), ConfigError> {
    if levels.contains(&name) {
        return Ok(());
    }
    let near = nearest(name, levels.iter().copied());
    let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
    let help = format!("{near}the levels are: {}", levels.join(", "));
    Err(document.mistake(path, format!("there is no level `{name}`"), Some(help)))
}

fn costs(document: &Document, study: &StudyFile, factor: &Factor) -> Result<(), ConfigError> {
    let measured = study
        .cost
        .as_ref()
        .is_some_and(|cost| cost.of == CostOf::Seconds);
    for (at, level) in factor.levels.iter().enumerate() {
        let Some(cost) = level.cost else { continue };
        let index = at.to_string();
        let path = ["factor", "levels", &index, "cost"];
        if !(cost >= 0.0 && cost.is_finite()) {
            return Err(document.mistake(&path, "`cost` must be a number, 0 or more", None));
        }
        if measured {
            let message = "the study's cost is measured, so no level gives one";
            let help = "leave out `of = \"seconds\"` under `[cost]`, or this number".to_owned();
            return Err(document.mistake(&path, message, Some(help)));
        }
    }
    let given = factor.levels.iter().any(|level| level.cost.is_some());
    if study.cost.is_some() && !measured && !given {
        let help = "give levels a `cost`, or measure it: `of = \"seconds\"`".to_owned();
        return Err(document.mistake(&["cost"], "no level has a `cost`", Some(help)));
    }
    Ok(())
}

fn curves(document: &Document, study: &StudyFile, factor: &Factor) -> Result<(), ConfigError> {
    let names: Vec<&str> = factor.levels.iter().map(|l| l.name.as_str()).collect();
    for (at, curves) in study.curves.iter().enumerate() {
        let index = at.to_string();
        known(
            document,
            &["curves", &index, "level"],
            &curves.level,
            &names,
        )?;
        for (key, list) in [("files", &curves.files), ("values", &curves.values)] {
            if list.is_empty() {
                let message = format!("`{key}` must not be empty");
                return Err(document.mistake(&["curves", &index, key], message, None));
            }
        }
        for (place, file) in curves.files.iter().enumerate() {
            if !(file.ends_with(".csv") || file.ends_with(".jsonl")) {
                let message = format!("`{file}` is neither a .csv nor a .jsonl file");
                let place = place.to_string();
                return Err(document.mistake(&["curves", &index, "files", &place], message, None));
            }
        }
        let earlier = &study.curves[..at];
        for (place, value) in curves.values.iter().enumerate() {
            let again = earlier
                .iter()
                .any(|other| other.level == curves.level && other.values.contains(value));
            if again || curves.values[..place].contains(value) {
                let message = format!("the level `{}` has `{value}` already", curves.level);
                let help = "files of several seeds stand in one list of `files`".to_owned();
                let place = place.to_string();
                let path = ["curves", &index, "values", &place];
                return Err(document.mistake(&path, message, Some(help)));
            }
        }
    }
    Ok(())
}
