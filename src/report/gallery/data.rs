//! What the page's script gets: runs and cards.

use super::edits::{ChangeMask, Reply};
use super::marks::Mark;
use serde::Serialize;
use std::path::PathBuf;

/// Everything the script needs; embedded as JSON.
#[derive(Debug, Serialize)]
pub struct Gallery {
    pub runs: Vec<Run>,
    pub items: Vec<Card>,
    /// Outputs of all runs, and how many of them have a card here.
    pub total: usize,
    pub shown: usize,
}

/// One run, as cards refer to it by index.
#[derive(Debug, Serialize)]
pub struct Run {
    pub suite: String,
    pub label: String,
    /// The score of a perfect output.
    pub full: f64,
}

/// One item of one suite.
#[derive(Debug, Serialize)]
pub struct Card {
    pub id: String,
    pub suite: String,
    pub prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    pub tags: crate::record::Tags,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Picture>,
    pub outputs: Vec<Shown>,
}

/// A picture of the gallery: where its file lies, and, once made, its thumbnail.
#[derive(Debug, Default, Serialize)]
pub struct Picture {
    #[serde(skip)]
    pub path: PathBuf,
    #[serde(skip)]
    pub sha256: Option<String>,
    /// `data:` URI or relative file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb: Option<String>,
    /// Relative link to the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(rename = "w")]
    pub width: u32,
    #[serde(rename = "h")]
    pub height: u32,
    /// Why there is no thumbnail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What became of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Scored with full marks, or judged correct.
    Passed,
    /// Scored below full marks, or judged incorrect.
    Failed,
    Unscored,
    /// Could not be made or observed.
    Error,
}

/// One output of one run.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Index into [`Gallery::runs`].
    pub run: usize,
    pub repeat: u32,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The grade's reason, or why there is no grade.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// A text answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What OCR read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Where an edit changed its input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<ChangeMask>,
    /// What judges said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judge: Vec<Reply>,
}
