//! The `[items]` of a suite: their source, and the meaning of the fields of a record.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::value::json;
use crate::formats::Format;
use crate::formats::table::ImageEncoding;
use crate::prompts::{NoiseLadder, PromptGenerator};
use serde::de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Where a suite's items come from: exactly one of `generator`, `file` and `asset`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemsSource {
    /// Items that the program itself generates.
    #[serde(default)]
    pub generator: Option<PromptGenerator>,
    /// A file of records, or a folder of `.txt` prompts, relative to this file. Several Parquet or TSV files
    /// are one source, in the order of their names: their folder, the folder whose `data` has the files of
    /// one split, or a path whose last part has a `*`. `~` is the home folder.
    #[serde(default)]
    pub file: Option<String>,
    /// The id of a downloadable file of records, or of a group of them (see `unigauge fetch`).
    #[serde(default)]
    pub asset: Option<String>,
    /// The format of the source. Default: the one of the file's extension.
    #[serde(default)]
    pub format: Option<Format>,
    /// A second source whose fields are added to the records.
    #[serde(default)]
    pub join: Option<Join>,
    /// The folder of input images that are named by path, relative to that of the file. On the command line:
    /// `--set items.image_folder="FOLDER"`, relative to the current folder. A downloaded file, or one of a
    /// built-in suite, has no input images next to it, so this folder is required to find them.
    #[serde(default)]
    pub image_folder: Option<String>,
    /// Accept input images outside their folder.
    #[serde(default)]
    pub allow_outside: bool,
    /// Which records are used, by the value of a field. Default: all.
    #[serde(default)]
    pub keep: BTreeMap<String, Wanted>,
    /// Records with these faults are left out and counted in a note of the summary. Without it, a faulty
    /// record is an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave_out: Vec<Flaw>,
    /// The meaning of the fields of a record.
    #[serde(default)]
    pub map: Mapping,
    /// Noise on the first input picture of each item, in levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseLadder>,
}

/// A second source: each record gets the fields of the row with the same value in the field `on`, and keeps
/// its own fields. Items in a file of the user (`--items`) are not joined.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// A file of records, relative to this file.
    #[serde(default)]
    pub file: Option<String>,
    /// The id of a downloadable file of records.
    #[serde(default)]
    pub asset: Option<String>,
    /// The format of the file. Default: the one of its extension.
    #[serde(default)]
    pub format: Option<Format>,
    /// The common field of both sources.
    pub on: String,
    /// Use only rows whose fields have these values.
    #[serde(default, rename = "where")]
    pub only: BTreeMap<String, String>,
}

/// A fault of a single record that its publisher made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// An option of a multiple-choice question is empty, but a later option or the right answer shows that it
    /// should not be.
    EmptyOption,
    /// A picture inside a table is absent, cut, damaged or of an unknown format.
    BrokenPicture,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::EmptyOption, Self::BrokenPicture];

    /// As it is in a suite.
    pub fn name(self) -> &'static str {
        match self {
            Self::EmptyOption => "empty-option",
            Self::BrokenPicture => "broken-picture",
        }
    }

    /// The fault of `count` records, in words.
    pub fn note(self, count: usize) -> String {
        let (records, have) = match count {
            1 => ("record was", "it has"),
            _ => ("records were", "they have"),
        };
        let what = match self {
            Self::EmptyOption => "an empty option",
            Self::BrokenPicture => "a broken picture",
        };
        format!(
            "{count} {records} left out, since {have} {what} (`leave_out` of the suite's items)"
        )
    }
}

/// The meaning of the fields of a record. Without an entry, the `id` (or `item`), `prompt`, `images`,
/// `expect` and `tags` of a record are used as they are, and the grader gets a whole record if it has no
/// `expect`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// A field, or a text with fields in braces: `{prompt_id:04}` pads a number with zeros, `{file:stem}`
    /// drops an extension, `{@index:05}` is the 0-based index of the record in the source.
    #[serde(default)]
    pub id: Option<String>,
    /// The field with the prompt, or a text with fields in braces. A line with `{?name}` is left out if that
    /// field is missing or empty. `{@options}` stands for the options of a multiple-choice question, one on
    /// each line.
    #[serde(default)]
    pub prompt: Option<String>,
    /// The field with the input image, or with a list of them; or several such fields, of which empty ones
    /// are skipped.
    #[serde(default)]
    pub images: Option<Names>,
    /// How a text names an input image.
    #[serde(default)]
    pub image_encoding: ImageEncoding,
    /// How the input images inside a table are prepared for the model. Default: not at all.
    #[serde(default)]
    pub prepare: Option<Prepare>,
    /// The field with the picture, or the list of pictures, with which observers compare outputs instead of
    /// the input images.
    #[serde(default)]
    pub compare_with: Option<String>,
    /// Fields whose text is a list in the form of JSON or Python. Any other text stays as it is.
    #[serde(default)]
    pub lists: Vec<String>,
    /// A field with values separated by commas. The record is used once for each value, with this value in
    /// the field.
    #[serde(default)]
    pub each: Option<String>,
    /// The parts of a multiple-choice question.
    #[serde(default)]
    pub choice: Option<ChoiceMapping>,
    /// What the grader gets.
    #[serde(default)]
    pub expect: Option<Expect>,
    /// The tags by which the report groups results.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, FieldOrValue>>,
}

/// How a benchmark prepares an input image for the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prepare {
    /// About 512 × 512 pixels, sides multiples of 32, by Pillow's bicubic filter (GEdit-Bench's
    /// `generate_image_example.py`).
    Gedit,
}

/// The name of a field, or of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "the name of a field, or a list of names")]
pub enum Names {
    /// One field.
    One(String),
    /// Several fields, in order.
    Several(Vec<String>),
}

/// The options of a question, and the right one. The grader gets them as `options` and `answer` (a letter).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceMapping {
    /// The field with the list of options, or the fields with one option each. Empty ones at the end do not
    /// count. A record without options is an open question.
    pub options: Names,
    /// The field with the right option: its letter, its text, or a number from 0.
    pub answer: String,
    /// The prompt if there are options, instead of `prompt`.
    #[serde(default)]
    pub prompt: Option<String>,
    /// Ask a question once for every rotation of its options, each as an item (`ID~0`, `ID~1`, …) with the
    /// keys `question`, `rotation` and `rotations` for the grader.
    #[serde(default)]
    pub circular: bool,
}

/// The values of a field that select records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a list of values, or { below = NUMBER }"
)]
pub enum Wanted {
    /// These.
    Values(Vec<String>),
    /// Numbers less than this.
    Below {
        /// The least number that is not asked.
        below: f64,
    },
}

/// The part of a record that the grader gets: `"*"` for all of it, a list of fields, or a table of names and
/// fields.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Expect {
    /// `"*"`: the unchanged record.
    All(#[schemars(regex(pattern = r"^\*$"))] String),
    /// Some fields under their own names.
    Fields(Vec<String>),
    /// Fields and constants under other names.
    Named(BTreeMap<String, FieldOrValue>),
}

/// The name of a field, `{ value = … }` for a constant, or `{ python_list = FIELD }` for the strings of a
/// list in the field, written in the form of Python.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum FieldOrValue {
    /// A field.
    Field(String),
    /// A constant.
    Value {
        /// The constant itself.
        value: serde_json::Value,
    },
    /// The strings of a list in a field, written in the form of Python.
    PythonList {
        /// The name of the field.
        python_list: String,
    },
}

impl FieldOrValue {
    /// The field, unless it is a constant.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Field(name) => Some(name),
            Self::PythonList { python_list } => Some(python_list),
            Self::Value { .. } => None,
        }
    }
}

impl Names {
    /// The names, in order.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

impl ItemsSource {
    /// Checks that there is exactly one source.
    pub(super) fn check(&self, document: &Document) -> Result<(), ConfigError> {
        let named = [
            self.generator.is_some(),
            self.file.is_some(),
            self.asset.is_some(),
        ];
        if named.iter().filter(|named| **named).count() != 1 {
            return Err(document.mistake(
                &["items"],
                "`items` needs exactly one of `generator`, `file` and `asset`",
                Some("for your own records, write file = \"prompts.jsonl\"".to_owned()),
            ));
        }
        if let Some(mistake) = self.noise.as_ref().and_then(NoiseLadder::mistake) {
            let message = format!("`items.noise`: {mistake}");
            return Err(document.mistake(&["items", "noise"], message, None));
        }
        let joined = self.join.as_ref();
        if joined.is_some_and(|join| join.file.is_some() == join.asset.is_some()) {
            return Err(document.mistake(
                &["items", "join"],
                "`join` needs exactly one of `file` and `asset`",
                None,
            ));
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectVisitor)
    }
}

struct ExpectVisitor;

impl<'de> Visitor<'de> for ExpectVisitor {
    type Value = Expect;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("\"*\", a list of fields, or a table of names and fields")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Expect, E> {
        match text {
            "*" => Ok(Expect::All(text.to_owned())),
            field => Err(E::custom(format!(
                "`{field}` is neither \"*\" nor a list: write [\"{field}\"] for one field"
            ))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Expect, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = seq.next_element()? {
            fields.push(field);
        }
        Ok(Expect::Fields(fields))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expect, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Expect::Named)
    }
}

impl<'de> Deserialize<'de> for FieldOrValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldOrValueVisitor)
    }
}

struct FieldOrValueVisitor;

impl<'de> Visitor<'de> for FieldOrValueVisitor {
    type Value = FieldOrValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a field, { value = … } or { python_list = FIELD }")
    }

    fn visit_str<E: serde::de::Error>(self, field: &str) -> Result<FieldOrValue, E> {
        Ok(FieldOrValue::Field(field.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldOrValue, A::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Special {
            Value(toml::Value),
            PythonList(String),
        }
        Ok(
            match Special::deserialize(MapAccessDeserializer::new(map))? {
                Special::Value(value) => FieldOrValue::Value { value: json(value) },
                Special::PythonList(python_list) => FieldOrValue::PythonList { python_list },
            },
        )
    }
}
