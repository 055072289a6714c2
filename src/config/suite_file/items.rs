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
    /// The id of a downloadable file of records, or of a group of JSON files (see `unigauge fetch`).
    #[serde(default)]
    pub asset: Option<String>,
    /// How the source is written; without it, the extension of the file says so.
    #[serde(default)]
    pub format: Option<Format>,
    /// The folder of input images that are named by path, relative to that of the file. On the command line:
    /// `--set items.image_folder="FOLDER"`, relative to the current folder. A file that was downloaded, or that a
    /// built-in suite reads, has no input images beside it: without this folder they are not looked for.
    #[serde(default)]
    pub image_folder: Option<String>,
    /// Accept input images outside their folder.
    #[serde(default)]
    pub allow_outside: bool,
    /// Which field of a record means what.
    #[serde(default)]
    pub map: Mapping,
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
    /// ImgEdit-Bench's files: keys with `id` (the input image), `prompt` and `edit_type`, where `alter` of UniWorld-V1's copy
    /// becomes `adjust`; or with `turn1`, `turn2`, …, of which each becomes a record `KEY_turn1`, ….
    Imgedit,
    /// GenAI-Bench's two files together, `genai_image.json` and `genai_skills.json`: each prompt gets the list of its `skills`.
    GenaiBench,
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

/// The name of a field, or `{ value = … }` for a constant.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum FieldOrValue {
    Field(String),
    Value { value: serde_json::Value },
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
        formatter.write_str("the name of a field, or { value = … }")
    }

    fn visit_str<E: serde::de::Error>(self, field: &str) -> Result<FieldOrValue, E> {
        Ok(FieldOrValue::Field(field.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldOrValue, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Constant {
            value: toml::Value,
        }
        let constant = Constant::deserialize(MapAccessDeserializer::new(map))?;
        Ok(FieldOrValue::Value {
            value: json(constant.value),
        })
    }
}
