//! The `[items]` of a suite: the source and which field of a record means what.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::value::json;
use crate::formats::Format;
use crate::formats::table::ImageEncoding;
use crate::prompts::PromptGenerator;
use serde::de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Where a suite's items come from: exactly one of `generator`, `file` and `asset`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemsSource {
    /// Items that the program makes itself.
    #[serde(default)]
    pub generator: Option<PromptGenerator>,
    /// A file of records, or a folder of `.txt` prompts, relative to this file. Several Parquet or TSV files
    /// are one source: their folder, the folder whose `data` holds the files of one split, or a path whose
    /// last part has a `*`, in the order of their names. `~` is the home folder.
    #[serde(default)]
    pub file: Option<String>,
    /// The id of a downloadable file of records, or of a group of them (see `unigauge fetch`).
    #[serde(default)]
    pub asset: Option<String>,
    /// How the source is written; without it, the extension of the file says so.
    #[serde(default)]
    pub format: Option<Format>,
    /// A second source whose fields are added to the records.
    #[serde(default)]
    pub join: Option<Join>,
    /// The folder of input images that are named by path, relative to that of the file. On the command line:
    /// `--set items.image_folder="FOLDER"`, relative to the current folder. A file that was downloaded, or
    /// that a built-in suite reads, has no input images beside it: without this folder they are not looked
    /// for.
    #[serde(default)]
    pub image_folder: Option<String>,
    /// Accept input images outside their folder.
    #[serde(default)]
    pub allow_outside: bool,
    /// Which records are asked, by the value of a field; without it, all.
    #[serde(default)]
    pub keep: BTreeMap<String, Wanted>,
    /// Records with these faults are left out and counted in a note of the summary. Without it, a faulty
    /// record is an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave_out: Vec<Flaw>,
    /// Which field of a record means what.
    #[serde(default)]
    pub map: Mapping,
}

/// A second source: each record gets the fields of the one row with the same value in the field `on`; its own
/// fields stay. Items that the user gives in a file of their own are not joined.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// A file of records, relative to this file.
    #[serde(default)]
    pub file: Option<String>,
    /// The id of a downloadable file of records.
    #[serde(default)]
    pub asset: Option<String>,
    /// How it is written; without it, the extension of the file says so.
    #[serde(default)]
    pub format: Option<Format>,
    /// The field that both sources have.
    pub on: String,
    /// Only rows whose fields have these values.
    #[serde(default, rename = "where")]
    pub only: BTreeMap<String, String>,
}

/// A fault of a single record that is its publisher's and not the reader's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// An option of a multiple-choice question is empty, and one behind it or the right answer shows that it
    /// should not be.
    EmptyOption,
    /// A picture inside a table is absent, cut, damaged or of an unknown format.
    BrokenPicture,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::EmptyOption, Self::BrokenPicture];

    /// As it stands in a suite.
    pub fn name(self) -> &'static str {
        match self {
            Self::EmptyOption => "empty-option",
            Self::BrokenPicture => "broken-picture",
        }
    }

    /// What is the matter with `count` records.
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

/// Which field of a record means what. Without an entry, a record's `id` (or `item`), `prompt`, `images`,
/// `expect` and `tags` are taken as they are, and a record without `expect` is itself what the grader gets.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// A field, or a text with fields in braces: `{prompt_id:04}` pads a number with zeros, `{file:stem}`
    /// drops an extension, `{@index:05}` is the record's 0-based place in the source.
    #[serde(default)]
    pub id: Option<String>,
    /// The field with the prompt, or a text with fields in braces. A line with `{?name}` is left out where
    /// that field is missing or empty; `{@options}` are the options of a multiple-choice question, a line
    /// each.
    #[serde(default)]
    pub prompt: Option<String>,
    /// The field with the input image, or with a list of them; or several such fields, of which empty ones
    /// are passed over.
    #[serde(default)]
    pub images: Option<Names>,
    /// How a text names an input image.
    #[serde(default)]
    pub image_encoding: ImageEncoding,
    /// How the input images inside a table are prepared for the model; without it, they are taken as they
    /// are.
    #[serde(default)]
    pub prepare: Option<Prepare>,
    /// The field with the picture, or the list of them, that observers compare outputs with in place of the
    /// input images.
    #[serde(default)]
    pub compare_with: Option<String>,
    /// Fields whose text is a list as JSON or Python writes it. A text that is none stays as it is.
    #[serde(default)]
    pub lists: Vec<String>,
    /// A field with values between commas: the record is asked once for each, and the field then holds that
    /// one.
    #[serde(default)]
    pub each: Option<String>,
    /// What makes a record a multiple-choice question.
    #[serde(default)]
    pub choice: Option<ChoiceMapping>,
    /// What the grader gets.
    #[serde(default)]
    pub expect: Option<Expect>,
    /// What the report groups by.
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

/// The options of a question and the right one. The grader gets them as `options` and `answer` (a letter).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceMapping {
    /// The field with the list of options, or the fields with one each; empty ones at the end do not count. A
    /// record without options is an open question.
    pub options: Names,
    /// The field with the right option: its letter, its text, or a number from 0.
    pub answer: String,
    /// What is asked in place of `prompt` where there are options.
    #[serde(default)]
    pub prompt: Option<String>,
    /// Ask a question once for every rotation of its options, as an item each (`ID~0`, `ID~1`, …) with the
    /// keys `question`, `rotation` and `rotations` for the grader.
    #[serde(default)]
    pub circular: bool,
}

/// The values of a field that are asked.
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
    Below { below: f64 },
}

/// What the grader gets of a record: `"*"` for all of it, a list of fields, or a table of names and fields.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Expect {
    /// `"*"`: the record untouched.
    All(#[schemars(regex(pattern = r"^\*$"))] String),
    /// Some fields under their own names.
    Fields(Vec<String>),
    /// Fields and constants under other names.
    Named(BTreeMap<String, FieldOrValue>),
}

/// The name of a field, `{ value = … }` for a constant, or `{ python_list = FIELD }` for the strings of a
/// list that the field holds as Python prints it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum FieldOrValue {
    /// A field.
    Field(String),
    /// A constant.
    Value { value: serde_json::Value },
    /// The strings of a list that a field holds as Python prints it.
    PythonList { python_list: String },
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
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

impl ItemsSource {
    /// Checks that exactly one source is named.
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
                Some("for records of your own: file = \"prompts.jsonl\"".to_owned()),
            ));
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
