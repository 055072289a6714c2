//! The records that pass between stages, one JSON object on each line.
//!
//! docs/reference/run-folder.md describes the keys. Keys that this version does not know are kept in `extra`
//! and written back, so that the additions of newer versions and of other programs survive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub mod evidence;
pub mod geneval_words;
pub mod judged;
pub mod mini_words;
pub mod model_name;
mod notes;
mod outcomes;
mod pairs;

pub use judged::{Answers, JudgedBy};
pub use notes::{NOTES, add_note, ended_by_limit, notes};
pub use outcomes::{ItemOutcome, Outcomes, OutputOutcome, Overall, RunFacts};
pub use pairs::{Numbers, Pairs, Tags};

/// A JSON object whose key order is kept.
pub type Object = Map<String, Value>;

/// What an item asks of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A picture from words.
    TextToImage,
    /// A picture from a picture and words.
    Edit,
    /// Words from pictures and words.
    Understand,
}

/// One question of a suite (`items.jsonl`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// Unique in the suite. It is the official id if there is one.
    pub item: String,
    /// What the model makes.
    pub task: Task,
    /// Exactly what the model is asked.
    pub prompt: String,
    /// Input images, relative to the items file or absolute.
    #[serde(default)]
    pub images: Vec<String>,
    /// What the grader needs: the benchmark's own metadata, untouched.
    #[serde(default)]
    pub expect: Object,
    /// The tags by which the report groups results.
    #[serde(default)]
    pub tags: Tags,
    /// Further keys, among them `compare_with`, `input_from` and `history`.
    #[serde(flatten)]
    pub extra: Object,
}

impl Item {
    /// The pictures that observers compare an output with: those of `compare_with`, or else the input images.
    pub fn compared_with(&self) -> Vec<&str> {
        let other = self.extra.get("compare_with").and_then(Value::as_array);
        match other {
            Some(paths) => paths.iter().filter_map(Value::as_str).collect(),
            None => self.images.iter().map(String::as_str).collect(),
        }
    }

    /// The item whose output, of the same repeat, replaces the first input image (`input_from`).
    pub fn input_from(&self) -> Option<&str> {
        self.extra.get("input_from")?.as_str()
    }

    /// The paths of all pictures that the model sees: those of the `history` first, then the item's own.
    pub fn all_images(&self) -> impl Iterator<Item = &str> {
        let turns = self.extra.get("history").and_then(Value::as_array);
        let past = turns
            .into_iter()
            .flatten()
            .filter_map(|turn| turn.get("images")?.as_array())
            .flatten()
            .filter_map(Value::as_str);
        past.chain(self.images.iter().map(String::as_str))
    }
}

/// Whether an output is a picture or words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// A picture in a file.
    Image,
    /// Words in the record.
    Text,
}

/// Why one output or observation is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// `generate`, `observe`, …
    pub stage: String,
    /// A short stable word: `timeout`, `crashed`, `refused`, `missing`, `image`, …
    pub kind: String,
    /// What happened, for people.
    pub message: String,
}

/// One answer of a model (`outputs.jsonl`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The item's id.
    pub item: String,
    /// 0-based among the outputs asked for that item.
    pub repeat: u32,
    /// The seed that the model was given.
    pub seed: u64,
    /// Picture or words.
    pub kind: OutputKind,
    /// Image file, relative to the run folder (or absolute for loose files).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Hash of that file, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Width of the picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Its height, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Seconds by phase.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub timings: Numbers,
    /// Hash of everything that shapes the output; empty for loose files.
    #[serde(default)]
    pub fingerprint: String,
    /// Why there is no picture and no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<Failure>>,
    /// Further keys, such as what a server says about its answer.
    #[serde(flatten)]
    pub extra: Object,
}

/// What one observer saw in one output (`evidence.jsonl`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The item's id.
    pub item: String,
    /// As in the output.
    #[serde(default)]
    pub repeat: u32,
    /// The observer's name.
    pub observer: String,
    /// Hash of everything that shapes what is seen; empty for loose evidence.
    #[serde(default)]
    pub fingerprint: String,
    /// Seconds that the observation took.
    #[serde(default)]
    pub seconds: f64,
    /// What was seen, as it was written: an object of one of the kinds in [`evidence`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Value>,
    /// Why nothing was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Further keys, such as `notes`.
    #[serde(flatten)]
    pub extra: Object,
}

/// What one output is worth (`grades.jsonl`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Grade {
    /// The item's id.
    pub item: String,
    /// As in the output.
    pub repeat: u32,
    /// Null when the output could not be scored; then `unscored` says why.
    pub score: Option<f64>,
    /// Right or wrong, if the rule says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correct: Option<bool>,
    /// Named parts of the score.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub parts: Numbers,
    /// Why the score has this value, for people.
    #[serde(default)]
    pub reason: String,
    /// Why there is no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unscored: Option<String>,
    /// The item's tags.
    #[serde(default)]
    pub tags: Tags,
    /// Further keys, such as `notes`.
    #[serde(flatten)]
    pub extra: Object,
}

/// A number with its 95 % interval and the number of its items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// Null when nothing was scored.
    pub value: Option<f64>,
    /// Lower end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Items (clusters), not outputs.
    pub n: usize,
    /// How the interval was made.
    pub method: String,
}

/// One row of a grouped result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The tag grouped by.
    pub by: String,
    /// The tag's value.
    pub key: String,
    /// The group's number. Null if none of its outputs has a score.
    pub value: Option<f64>,
    /// Lower end of its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Items.
    pub n: usize,
    /// Scored outputs.
    pub outputs: usize,
}

/// The official numbers of a run (`summary.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The suite's name.
    pub suite: String,
    /// The suite's version.
    pub suite_version: String,
    /// The model's name.
    pub model: String,
    /// The run's name.
    pub run: String,
    /// Outputs asked for.
    pub expected: usize,
    /// Outputs with a score.
    pub scored: usize,
    /// Outputs that could not be made.
    pub failed: usize,
    /// Outputs without a score.
    pub unscored: usize,
    /// The unscored by state: `missing`, `refused`, `unparsed`, `cut off`, `left out`, `error`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unscored_by: BTreeMap<String, usize>,
    /// True if `scored < expected`.
    pub partial: bool,
    /// The official number.
    pub overall: Estimate,
    /// The same by the tags that the suite groups by.
    pub groups: Vec<Group>,
    /// Any further official number.
    pub metrics: BTreeMap<String, f64>,
    /// The judges that gave the scores; several where they changed during the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<JudgedBy>,
    /// How missing outputs count in the numbers, and other remarks for readers of the table.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Further keys, such as [`Summary::READ_BY`].
    #[serde(flatten)]
    pub extra: Object,
}

impl Summary {
    /// A further key, with the rule and the options that graded a run.
    pub const GRADING: &str = "grading";
    /// A further key, with the OCR engines whose readings were graded.
    pub const READ_BY: &str = "read_by";
}
