//! A JSON schema as tables in Markdown, one for each table of the TOML file that it describes.

use super::markdown::{cell, paragraphs};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How the file is written that a schema describes.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Toml,
    Json,
}

impl Form {
    /// How the heading of a table within another names it; `many` says that there is a list of them.
    fn heading(self, path: &str, many: bool) -> String {
        match (self, many) {
            (Self::Toml, false) => format!("[{path}]"),
            (Self::Toml, true) => format!("[[{path}]]"),
            (Self::Json, false) => path.to_owned(),
            (Self::Json, true) => format!("{path}[]"),
        }
    }
}

/// The tables of a file, from its root on. `level` is how many `#` a table's heading has.
pub(super) fn tables(schema: &Value, form: Form, level: usize) -> String {
    let mut writer = Writer {
        form,
        definitions: schema["$defs"].as_object().cloned().unwrap_or_default(),
        level,
        text: String::new(),
        written: BTreeSet::new(),
    };
    writer.table(schema, "");
    writer.text
}

struct Writer {
    form: Form,
    definitions: Map<String, Value>,
    level: usize,
    text: String,
    /// Definitions that have a table already.
    written: BTreeSet<String>,
}

/// A table within another: the words of its heading, and its schema.
struct Inner {
    heading: String,
    path: String,
    schema: Value,
}

impl Writer {
    /// Writes the keys of an object, then the tables within it.
    fn table(&mut self, schema: &Value, path: &str) {
        let mut inner = Vec::new();
        let mut rows = String::new();
        let required = strings(&schema["required"]);
        for (key, property) in properties(schema) {
            let mut meaning = property["description"]
                .as_str()
                .map(cell)
                .unwrap_or_default();
            let choices = self.choices(property);
            meaning += &choices;
            let default = if required.contains(&key.as_str()) {
                "required".to_owned()
            } else {
                default(&property["default"])
            };
            let kind = if choices.is_empty() {
                self.kind(property)
            } else {
                "one of these".to_owned()
            };
            let _ = writeln!(rows, "| `{key}` | {kind} | {default} | {meaning} |");
            inner.extend(self.inner(path, key, property));
        }
        if rows.is_empty() {
            self.text += "It has no keys.\n\n";
        } else {
            self.text += "| key | value | default | meaning |\n|---|---|---|---|\n";
            self.text += &rows;
            self.text += "\n";
        }
        for Inner {
            heading,
            path,
            schema,
        } in inner
        {
            let _ = write!(self.text, "{} `{heading}`\n\n", "#".repeat(self.level));
            if let Some(description) = schema["description"].as_str() {
                self.text += &paragraphs(description);
            }
            self.table(&schema, &path);
        }
    }

    /// The tables that a key's value is or holds, where they have not been written yet.
    fn inner(&mut self, path: &str, key: &str, property: &Value) -> Vec<Inner> {
        let path = if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        };
        let mut found = Vec::new();
        for branch in branches(property) {
            let (value, many, path) = if branch["type"] == "array" {
                (&branch["items"], true, path.clone())
            } else if branch["additionalProperties"].is_object() {
                (
                    &branch["additionalProperties"],
                    false,
                    format!("{path}.NAME"),
                )
            } else {
                (branch, false, path.clone())
            };
            let heading = self.form.heading(&path, many);
            for value in branches(value) {
                let name = reference(value);
                let schema = self.resolved(value).clone();
                let new = name.is_none_or(|name| !self.written.contains(name));
                if schema["properties"].is_object() && new {
                    self.written.extend(name.map(str::to_owned));
                    found.push(Inner {
                        heading: heading.clone(),
                        path: path.clone(),
                        schema,
                    });
                }
            }
        }
        found
    }

    /// What a value is, in words.
    fn kind(&self, schema: &Value) -> String {
        let mut kinds: Vec<String> = Vec::new();
        for branch in branches(schema) {
            for kind in self.kinds(branch) {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
        kinds.join(" or ")
    }

    fn kinds(&self, schema: &Value) -> Vec<String> {
        let schema = self.resolved(schema);
        if let Some(value) = schema.get("const") {
            return vec![format!("`{value}`")];
        }
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().map(|value| format!("`{value}`")).collect();
        }
        if schema["oneOf"].is_array() || schema["anyOf"].is_array() {
            return vec![self.kind(schema)];
        }
        let types = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            Value::String(one) => vec![one.as_str()],
            _ => Vec::new(),
        };
        let word = |name: &str| match name {
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            "number" => "number".to_owned(),
            "boolean" => "true or false".to_owned(),
            "array" if schema["items"].is_object() => {
                format!("list: {}", self.kind(&schema["items"]))
            }
            "array" => "list".to_owned(),
            _ if schema["properties"].is_object() => "table".to_owned(),
            _ if schema["additionalProperties"].is_object() => {
                format!(
                    "table by name: {}",
                    self.kind(&schema["additionalProperties"])
                )
            }
            _ => "table".to_owned(),
        };
        let kinds: Vec<String> = types
            .into_iter()
            .filter(|name| *name != "null")
            .map(word)
            .collect();
        if kinds.is_empty() {
            vec!["any".to_owned()]
        } else {
            kinds
        }
    }

    /// The choices of a value as lines of a cell; nothing where none has a description of its own.
    fn choices(&self, property: &Value) -> String {
        let mut lines = String::new();
        let mut described = false;
        for branch in branches(property) {
            let values = if branch["type"] == "array" {
                &branch["items"]
            } else {
                branch
            };
            let choices = self.resolved(values)["oneOf"].as_array();
            for choice in choices.into_iter().flatten() {
                let description = choice["description"].as_str();
                described |= description.is_some();
                let meaning = description.map(|words| format!(": {}", cell(words)));
                let several = choice["enum"].as_array().into_iter().flatten();
                for value in choice.get("const").into_iter().chain(several) {
                    let _ = write!(
                        lines,
                        "<br>`{value}`{}",
                        meaning.as_deref().unwrap_or_default()
                    );
                }
            }
        }
        if described { lines } else { String::new() }
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match reference(schema) {
            Some(name) => &self.definitions[name],
            None => schema,
        }
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// The alternatives of a schema, without null; the schema itself where it has none.
fn branches(schema: &Value) -> Vec<&Value> {
    let alternatives = schema["anyOf"]
        .as_array()
        .or_else(|| schema["oneOf"].as_array());
    match alternatives {
        Some(all) => all
            .iter()
            .filter(|branch| branch["type"] != "null")
            .collect(),
        None => vec![schema],
    }
}

/// The name of the definition that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// A default as TOML writes it; nothing for one that is empty.
fn default(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Object(table) if table.is_empty() => String::new(),
        Value::Object(_) => "as below".to_owned(),
        Value::Array(list) if list.is_empty() => String::new(),
        value => format!("`{value}`"),
    }
}
