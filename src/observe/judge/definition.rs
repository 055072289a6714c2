//! The definition of a prompt set: the calls that judge an output, their words, and the patterns of a reply
//! that is understood.

use crate::record::Object;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A prompt set, as a TOML file defines it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PromptSet {
    pub name: String,
    /// The calls of an output are repeated at most this many times, until every reply is accepted.
    #[serde(default = "one_round")]
    pub rounds: u32,
    #[serde(default)]
    pub pictures: PictureForm,
    /// Further fields of a request to a server, such as `max_tokens`.
    #[serde(default)]
    pub request: Object,
    /// The marks in the texts, and the value that replaces each of them: `prompt`, `expect.KEY`, `tags.KEY`,
    /// or `output` (the text that is judged).
    #[serde(default)]
    pub fill: BTreeMap<String, String>,
    #[serde(rename = "call")]
    pub calls: Vec<Call>,
    /// Where the benchmark's own words are.
    #[serde(default, skip_serializing)]
    pub official: Option<Official>,
}

/// How pictures are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PictureForm {
    pub encoding: Encoding,
    /// The media type that is sent with unchanged files. The default is the type of the file.
    pub mime: Option<String>,
    /// The output is resized to the first source's size.
    pub output_like_source: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encoding {
    /// The bytes of the file.
    #[default]
    File,
    /// Upright RGB as a JPEG of quality 75 with 4:2:0 chroma subsampling.
    Jpeg,
}

/// One call of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub role: String,
    #[serde(default)]
    pub system: Option<String>,
    /// The question, unless it is chosen among `texts`.
    #[serde(default)]
    pub text: Option<String>,
    /// The value that chooses among `texts`, such as `expect.edit_type`.
    #[serde(default)]
    pub choose: Option<String>,
    /// Other names for keys of `texts`.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    #[serde(default)]
    pub pictures: Vec<Shown>,
    /// Patterns. A reply is accepted if it matches all of them. Without patterns, every reply is accepted.
    #[serde(default)]
    pub accept: Vec<String>,
}

/// A picture that a call shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shown {
    /// The item's input pictures.
    Source,
    Output,
}

const fn one_round() -> u32 {
    1
}

/// Where the official words are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Official {
    /// The asset with the file.
    pub asset: String,
    pub format: Format,
    /// Marks in the official texts, instead of the set's own.
    #[serde(default)]
    pub fill: Option<BTreeMap<String, String>>,
    /// For `python`: the texts of each call.
    #[serde(default, rename = "call")]
    pub calls: Vec<Texts>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Format {
    /// One JSON object with the texts of the first call, by their keys.
    Json,
    /// String literals of a Python source.
    Python,
}

/// The strings of one call. Each text here is a piece of the source, and means the string literal that
/// follows it. Several literals are joined by line feeds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    pub role: String,
    #[serde(default)]
    pub system: Vec<String>,
    pub text: Vec<String>,
}

impl PromptSet {
    /// The values of items and outputs that the set needs, by name.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let chosen = self.calls.iter().filter_map(|call| call.choose.as_deref());
        self.fill.values().map(String::as_str).chain(chosen)
    }

    /// Whether any call shows this.
    pub(super) fn shows(&self, what: Shown) -> bool {
        self.calls.iter().any(|call| call.pictures.contains(&what))
    }
}
