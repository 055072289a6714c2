//! The `[items]` of a suite: the source and which field of a record means what.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::value::json;
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
    /// A file of records, or a folder of `.txt` prompts, relative to this file.
    #[serde(default)]
    pub file: Option<String>,
    /// The id of a downloadable file of records (see `unigauge fetch`).
    #[serde(default)]
    pub asset: Option<String>,
    /// How the source is written; without it, the extension of the file says so.
    #[serde(default)]
    pub format: Option<Format>,
    /// A second source whose fields are added to the records.
    #[serde(default)]
    pub join: Option<Join>,
    /// Accept input images outside the folder of the file.
    #[serde(default)]
    pub allow_outside: bool,
    /// Which field of a record means what.
    #[serde(default)]
    pub map: Mapping,
}

/// A second source: each record gets the fields of the one row with the same value in the field `on`; its own fields stay.
/// Items that the user gives in a file of their own are not joined.
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

/// Items that the program makes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PromptGenerator {
    /// The 553 prompts of GenEval, drawn as the official script draws them.
    Geneval,
}

/// How a source of items is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// A JSON array of objects, or an object whose keys are ids and whose values are objects or prompts.
    Json,
    /// A table with a header line; every value is a string.
    Csv,
    /// DPG-Bench's table of propositions: a row each, with the rows of one `item_id` becoming one record `id`, `prompt`,
    /// `propositions`. As in the official script the first row is left out.
    DpgCsv,
    /// The same table with its first row.
    DpgCsvWhole,
    /// A folder of `.txt` files, one prompt each; the file's name without `.txt` is the id.
    TextFolder,
}

/// Which field of a record means what. Without an entry, a record's `id` (or `item`), `prompt`, `images`,
/// `expect` and `tags` are taken as they are, and a record without `expect` is itself what the grader gets.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// A field, or a text with fields in braces: `{prompt_id:04}` pads a number with zeros, `{file:stem}` drops
    /// an extension, `{@index:05}` is the record's 0-based place in the source.
    #[serde(default)]
    pub id: Option<String>,
    /// The field with the prompt.
    #[serde(default)]
    pub prompt: Option<String>,
    /// The field with the path of the input image, or a list of them.
    #[serde(default)]
    pub images: Option<String>,
    /// What the grader gets.
    #[serde(default)]
    pub expect: Option<Expect>,
    /// What the report groups by.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, FieldOrValue>>,
}

/// What the grader gets of a record: `"*"` for all of it, a list of fields, or a table of names and fields.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Expect {
    /// `"*"`: the record untouched.
    All(#[schemars(regex(pattern = r"^\*$"))] String),
    Fields(Vec<String>),
    Named(BTreeMap<String, FieldOrValue>),
}

/// The name of a field, `{ value = … }` for a constant, or `{ python_list = FIELD }` for the strings of a list that the field
/// holds as Python prints it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum FieldOrValue {
    Field(String),
    Value { value: serde_json::Value },
    PythonList { python_list: String },
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
