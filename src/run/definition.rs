//! Definitions in a manifest: of the suite, and of the model as the run used it.

use crate::config::{Settings, SuiteFile};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// A definition in a manifest: as its type, where this version can read it, and as it was written.
///
/// The manifest of another version may have keys that this one does not know. It keeps them when it is
/// written again, and the names and titles in it can be read all the same.
#[derive(Debug, Clone)]
pub struct ManifestDefinition<T> {
    written: Value,
    typed: Result<T, String>,
}

/// The suite's definition as resolved.
pub type ManifestSuite = ManifestDefinition<SuiteFile>;

/// The model's definition as resolved, presets applied.
pub type ManifestModel = ManifestDefinition<ResolvedModel>;

/// A model as a run uses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedModel {
    /// Short name, used in paths.
    pub name: String,
    /// The name in tables and charts, with what the command line changed.
    pub title: String,
    /// Who answers.
    pub generator: String,
    /// All options of the generator, with the defaults of those that are not set.
    pub settings: Value,
    /// The suite whose preset was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// What the model's definition says about the results of this suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Vec<String>>,
    /// Files and number format of networks in this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Value>,
}

impl<T: Serialize> ManifestDefinition<T> {
    /// Takes a definition into a manifest.
    ///
    /// # Errors
    /// Fails if it has no JSON form.
    pub fn new(definition: T) -> serde_json::Result<Self> {
        Ok(Self {
            written: serde_json::to_value(&definition)?,
            typed: Ok(definition),
        })
    }
}

impl<T> ManifestDefinition<T> {
    /// The definition.
    ///
    /// # Errors
    /// Fails with the reason why this version cannot read it, in words.
    pub fn typed(&self) -> Result<&T, &str> {
        self.typed.as_ref().map_err(String::as_str)
    }

    /// The definition as it was written, with keys that this version may not know.
    pub fn as_json(&self) -> &Value {
        &self.written
    }

    /// The short name, whatever else this version can read. Empty if there is none.
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// The title, likewise.
    pub fn title(&self) -> &str {
        self.text("title")
    }

    fn text(&self, key: &str) -> &str {
        self.written[key].as_str().unwrap_or_default()
    }
}

impl ManifestSuite {
    /// The suite's version, whatever else this version of the program can read. Empty if there is none.
    pub fn version(&self) -> &str {
        self.text("version")
    }

    /// Rule and options of the suite as a summary notes them; as they were written, where this version cannot
    /// read the suite.
    pub fn grading(&self) -> Value {
        let written = &self.written["grade"];
        match self.typed() {
            Ok(suite) => grading_note(&suite.grade.rule, &suite.grade.options),
            Err(_) => json!({"rule": written["rule"], "options": written["options"]}),
        }
    }
}

impl ManifestModel {
    /// What the model's definition says about the results of this suite, whatever else can be read.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        let notes = self.written["notes"].as_array().into_iter().flatten();
        notes.filter_map(Value::as_str)
    }
}

/// Rule and options that a run is graded by, as its summary notes them.
pub fn grading_note(rule: &str, options: &Settings) -> Value {
    json!({"rule": rule, "options": options.to_json()})
}

impl<T> PartialEq for ManifestDefinition<T> {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl<T> Serialize for ManifestDefinition<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for ManifestDefinition<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Value::deserialize(deserializer)?;
        Ok(Self {
            typed: serde_json::from_value(written.clone()).map_err(|error| error.to_string()),
            written,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ANOTHER_VERSION: &str =
        r#"{"title":"Signs","name":"signs","colour":"red","version":"2"}"#;

    #[test]
    fn a_definition_of_another_version_keeps_its_keys_and_its_title() {
        let suite: ManifestSuite = serde_json::from_str(OF_ANOTHER_VERSION).unwrap();
        assert_eq!(
            (suite.name(), suite.title(), suite.version()),
            ("signs", "Signs", "2")
        );
        assert!(suite.typed().unwrap_err().contains("colour"));
        assert_eq!(serde_json::to_string(&suite).unwrap(), OF_ANOTHER_VERSION);
    }

    #[test]
    fn a_model_is_written_without_what_it_lacks() {
        let model = ResolvedModel {
            name: "plain".into(),
            title: "Plain".into(),
            generator: "echo".into(),
            settings: json!({}),
            preset: None,
            notes: Some(Vec::new()),
            weights: None,
        };
        let written = serde_json::to_string(&ManifestModel::new(model).unwrap()).unwrap();
        let expected =
            r#"{"name":"plain","title":"Plain","generator":"echo","settings":{},"notes":[]}"#;
        assert_eq!(written, expected);
    }
}
