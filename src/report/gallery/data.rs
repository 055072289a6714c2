//! What the gallery shows: runs and cards.

use super::edits::{ChangeMask, Reply};
use super::marks::Mark;
use crate::report::thumbs::Pictured;
use serde::Serialize;
use std::path::PathBuf;

/// The runs and the cards of a page.
#[derive(Debug)]
pub struct Gallery {
    /// The runs, in the order of the page.
    pub runs: Vec<Run>,
    /// The cards, in the suites' order.
    pub items: Vec<Card>,
    /// How many outputs all runs have.
    pub total: usize,
    /// How many outputs have a card here.
    pub shown: usize,
}

/// One run, as cards refer to it by index.
#[derive(Debug, Serialize)]
pub struct Run {
    /// The suite's title.
    pub suite: String,
    /// The model, and what distinguishes it from the others.
    pub label: String,
    /// The score of a perfect output.
    pub full: f64,
}

/// One item of one suite.
#[derive(Debug, Serialize)]
pub struct Card {
    /// The item's id.
    pub id: String,
    /// The suite's title.
    pub suite: String,
    /// What was asked.
    pub prompt: String,
    /// What the item's metadata say should be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What the report groups by.
    pub tags: crate::record::Tags,
    /// The pictures that the model got.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Picture>,
    /// The outputs, run by run.
    pub outputs: Vec<Shown>,
}

/// A picture of the gallery: the path of its file, and its thumbnail, once that is made.
#[derive(Debug, Default, Serialize)]
pub struct Picture {
    /// The file.
    #[serde(skip)]
    pub path: PathBuf,
    /// The thumbnail: a `data:` URI, or the path of a file beside the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb: Option<String>,
    /// Relative link to the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Pixels; 0 where nobody says.
    #[serde(rename = "w")]
    pub width: u32,
    /// Pixels; 0 where nobody says.
    #[serde(rename = "h")]
    pub height: u32,
    /// Why there is no thumbnail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Picture {
    /// Takes what the page has of the picture.
    pub(in crate::report) fn show(&mut self, shown: &Pictured) {
        self.link.clone_from(&shown.link);
        match &shown.thumb {
            Ok(thumb) => {
                (self.width, self.height) = (thumb.width, thumb.height);
                self.thumb = Some(thumb.src.clone());
            }
            Err(problem) => self.problem = Some(problem.clone()),
        }
    }
}

/// What became of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Scored with full marks, or judged correct.
    Passed,
    /// Scored below full marks, or judged incorrect.
    Failed,
    /// No score.
    Unscored,
    /// The output could not be made or observed.
    Error,
}

/// One output of one run.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Index into [`Gallery::runs`].
    pub run: usize,
    /// Which of the item's outputs, from 0.
    pub repeat: u32,
    /// What became of it.
    pub status: Status,
    /// The score, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The grade's reason, or why there is no grade.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The picture, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// A text answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What OCR read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Shapes that observers saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Where an edit changed its input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<ChangeMask>,
    /// What judges said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judge: Vec<Reply>,
}
