//! The definition of a suite: the items, the observers that describe the outputs, and the rule that grades
//! them.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, Loaded, Origin, check_name, find};
use crate::config::settings::Settings;
use crate::layout::Layout;
use crate::paths::expanded;
use crate::record::Task;
use crate::text::nearest::nearest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

mod items;

pub use items::{
    ChoiceMapping, Expect, FieldOrValue, Flaw, ItemsSource, Join, Mapping, Names, Prepare, Wanted,
};

/// A benchmark, or a set of questions of your own (`suites/NAME.toml`).
///
/// A suite of your own for the file `signs.jsonl` next to it, with lines such as `{"id": "a1", "prompt": "A
/// sign that says OPEN", "texts": ["OPEN"], "language": "en", "kind": "sign"}`:
///
/// ```toml
/// name = "signs"
/// version = "1"
/// title = "Shop signs"
/// task = "text-to-image"
/// observers = ["ppocr"]
///
/// [items]
/// file = "signs.jsonl"
///
/// [items.map]
/// expect = ["texts", "language"]
/// tags = { kind = "kind" }
///
/// [grade]
/// rule = "longtext"
///
/// [report]
/// group_by = ["kind"]
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// Short name, used in paths: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// The version, which changes whenever items or grading change, so that results are not mixed.
    pub version: String,
    /// The name in tables and charts.
    pub title: String,
    /// What the suite measures, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// What an item asks of a model.
    pub task: Task,
    /// Number of outputs per item.
    #[serde(default = "single_repeat")]
    #[schemars(range(min = 1))]
    pub repeats: u32,
    /// The paper that introduced the benchmark.
    #[serde(default)]
    pub paper: Option<String>,
    /// Where items and rule come from: repository and revision.
    #[serde(default)]
    pub source: Option<String>,
    /// Licence of the items.
    #[serde(default)]
    pub licence: Option<String>,
    /// Where the items come from.
    pub items: ItemsSource,
    /// The names of the observers; empty if the rule reads the outputs themselves.
    #[serde(default)]
    pub observers: Vec<String>,
    /// Options of the observers, by the observer's name.
    #[serde(default)]
    pub observe: BTreeMap<String, Settings>,
    /// The rule that grades the outputs.
    pub grade: GradeSection,
    /// How results are shown.
    #[serde(default)]
    pub report: ReportSection,
    /// How output images are named, so that the benchmark's own script can run on the folder.
    #[serde(default)]
    pub layout: Layout,
    /// Remarks for readers of the results.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The rule that grades a suite.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeSection {
    /// The name of the rule; `unigauge list` shows all.
    pub rule: String,
    /// Options of the rule.
    #[serde(default)]
    pub options: Settings,
}

/// How the results of a suite are shown.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportSection {
    /// Tags by which results are grouped; the first one gives the columns of the tables.
    #[serde(default)]
    pub group_by: Vec<String>,
}

const fn single_repeat() -> u32 {
    1
}

/// Loads a suite by name or by the path of its file; a relative path starts from `from`.
///
/// # Errors
/// Fails if there is no such suite or its definition has a mistake.
pub fn suite(name: &str, from: &Path) -> Result<Loaded<SuiteFile>, ConfigError> {
    let (document, origin) = find(Kind::Suite, name, from)?;
    checked(document, origin)
}

/// Changes options of a suite's observers (`observe.NAME.KEY=VALUE`) and of its rule (`grade.KEY=VALUE`) and
/// the folder of its input images (`items.image_folder=FOLDER`), from texts of the command line.
///
/// # Errors
/// Fails if one is not TOML or names nothing of the suite.
pub fn set_options(suite: &mut SuiteFile, assignments: &[String]) -> Result<(), ConfigError> {
    if assignments.is_empty() {
        return Ok(());
    }
    let document = Document::parse("--set", &assignments.join("\n"))?;
    let all = document.settings(&[]).to_json();
    for (room, keys) in all.as_object().into_iter().flatten() {
        let names: Vec<&str> = match (room.as_str(), keys.as_object()) {
            ("observe", Some(keys)) => keys.keys().map(String::as_str).collect(),
            ("grade", Some(_)) => continue,
            ("items", Some(keys)) if keys.keys().all(|key| key == "image_folder") => continue,
            _ => {
                return Err(document.mistake(
                    &[room],
                    format!("`{room}` cannot be set here"),
                    Some(
                        "write observe.OBSERVER.KEY=VALUE, grade.KEY=VALUE, or items.image_folder=\"FOLDER\""
                            .into(),
                    ),
                ));
            }
        };
        if let Some(name) = names
            .iter()
            .find(|name| !suite.observers.iter().any(|o| o == *name))
        {
            return Err(document.mistake(
                &["observe", name],
                format!("this suite has no observer `{name}`"),
                Some(format!("it has: {}", suite.observers.join(", "))),
            ));
        }
    }
    for name in &suite.observers {
        let options = suite.observe.entry(name.clone()).or_default();
        *options = options.merged(&document.settings(&["observe", name]));
    }
    suite.grade.options = suite.grade.options.merged(&document.settings(&["grade"]));
    if let Some(folder) = all["items"].get("image_folder") {
        let path = folder
            .as_str()
            .and_then(|folder| std::path::absolute(expanded(Path::new(folder))).ok());
        let path = path.ok_or_else(|| {
            let message = "`image_folder` must be the path of a folder".to_owned();
            document.mistake(&["items", "image_folder"], message, None)
        })?;
        suite.items.image_folder = Some(path.display().to_string());
    }
    Ok(())
}

/// The checks that go beyond types.
pub(super) fn checked(
    document: Document,
    origin: Origin,
) -> Result<Loaded<SuiteFile>, ConfigError> {
    let mut suite: SuiteFile = document.typed()?;
    check_name(&document, &suite.name)?;
    if suite.repeats == 0 {
        return Err(document.mistake(&["repeats"], "`repeats` must be at least 1", None));
    }
    suite.items.check(&document)?;
    suite.grade.options = document.settings(&["grade", "options"]);
    for (observer, options) in &mut suite.observe {
        *options = document.settings(&["observe", observer]);
        if !suite.observers.contains(observer) {
            let near = nearest(observer, suite.observers.iter().map(String::as_str));
            return Err(document.mistake(
                &["observe", observer],
                format!(
                    "there are options for `{observer}`, which is not one of the `observers` of this suite"
                ),
                near.map(|near| format!("did you mean `{near}`?")),
            ));
        }
    }
    Ok(Loaded {
        definition: suite,
        document,
        origin,
    })
}
