//! A table of options, whose type is known only to the code that reads it.

use crate::config::error::{ConfigError, explain};
use crate::config::text::{Text, empty_table, read_table};
use crate::config::value::located_json;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The `[settings]` of a model or the `[grade.options]` of a suite, not yet typed.
///
/// It keeps the texts of its keys, so that an error found later still points at its line.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Later layers override earlier ones.
    layers: Vec<Layer>,
}

/// One table of one text.
#[derive(Debug, Clone)]
struct Layer {
    text: Arc<Text>,
    path: Vec<String>,
}

impl Settings {
    /// The options under the keys of `path` in a text.
    pub(super) fn located(text: Arc<Text>, path: Vec<String>) -> Self {
        Self {
            layers: vec![Layer { text, path }],
        }
    }

    /// Options written as TOML, such as those of a `--set key=value`. `name` is the name of the text in
    /// messages.
    ///
    /// # Errors
    /// Fails if it is not TOML.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let text = Arc::new(Text::parse(name, text)?);
        Ok(Self::located(text, Vec::new()))
    }

    /// Options that code created.
    ///
    /// # Errors
    /// Fails if the table has no TOML form.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let text = toml::to_string(table)
            .map_err(|error| ConfigError::new(format!("options: {error}"), None))?;
        Self::parse("options", &text)
    }

    /// Reads the options as the type of the code that owns them.
    ///
    /// # Errors
    /// When a key is unknown or missing, or a value has the wrong type; the error points at it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        read_table(self.table()).map_err(|error| {
            let (message, help) = explain(error.message());
            match error.span().and_then(|span| self.locate(span)) {
                Some((text, span)) => text.mistake(span, message, help),
                None => ConfigError::new(message, help),
            }
        })
    }

    /// These options, overridden by those of `over`. Tables inside are merged in the same way.
    pub fn merged(&self, over: &Self) -> Self {
        Self {
            layers: self.layers.iter().chain(&over.layers).cloned().collect(),
        }
    }

    /// Whether no option is set.
    pub fn is_empty(&self) -> bool {
        self.table().get_ref().is_empty()
    }

    /// The options as JSON, for the manifest. Dates become strings, and so do numbers that JSON lacks.
    pub fn to_json(&self) -> serde_json::Value {
        located_json(self.table().get_ref())
    }

    /// All layers as one table. Its spans count as if the texts of the layers were concatenated.
    fn table(&self) -> Spanned<DeTable<'_>> {
        let mut all = empty_table();
        let mut start = 0;
        for layer in &self.layers {
            if let Some(table) = layer.text.table(&layer.path) {
                let span = table.span().start + start..table.span().end + start;
                let mut merged = all.into_inner();
                merge(&mut merged, shifted(table.into_inner(), start));
                all = Spanned::new(span, merged);
            }
            start += layer.text.len() + 1;
        }
        all
    }

    /// The text that contains a span of [`Settings::table`], and the span inside that text.
    fn locate(&self, span: Range<usize>) -> Option<(&Text, Range<usize>)> {
        let mut start = 0;
        for Layer { text, .. } in &self.layers {
            let end = start + text.len();
            if span.start <= end {
                return Some((text, span.start - start..span.end.min(end) - start));
            }
            start = end + 1;
        }
        None
    }
}

fn shifted(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span().start + by..key.span().end + by;
            let key = Spanned::new(span, key.into_inner());
            (key, shifted_value(value, by))
        })
        .collect()
}

fn shifted_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = value.span().start + by..value.span().end + by;
    let inner = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shifted(table, by)),
        DeValue::Array(mut array) => {
            for element in array.iter_mut() {
                *element = shifted_value(element.clone(), by);
            }
            DeValue::Array(array)
        }
        other => other,
    };
    Spanned::new(span, inner)
}

fn merge<'a>(below: &mut DeTable<'a>, over: DeTable<'a>) {
    for (key, mut value) in over {
        if let (Some(DeValue::Table(mine)), DeValue::Table(theirs)) = (
            below.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut),
            value.get_mut(),
        ) {
            merge(mine, std::mem::take(theirs));
        } else {
            // The key is replaced too, since it has the position for messages.
            below.remove(key.get_ref().as_ref());
            below.insert(key, value);
        }
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = toml::Table::deserialize(deserializer)?;
        Self::from_table(&table).map_err(D::Error::custom)
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl schemars::JsonSchema for Settings {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Settings".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "Options whose keys belong to the part of the program that reads them."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Document;
    use serde_json::json;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Options {
        width: u32,
        blur: f64,
        page: Page,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Page {
        margin: u32,
        ink: String,
    }

    const MODEL: &str = "[settings]\nwidth = 512\nblur = 1.5\npage = { margin = 8, ink = 'black' }\n\n\
                         [presets.quick]\nwidth = 256\n[presets.quick.page]\nink = 'red'\n";

    #[test]
    fn a_preset_goes_over_the_settings_key_by_key() {
        let model = Document::parse("m.toml", MODEL).unwrap();
        let merged = model
            .settings(&["settings"])
            .merged(&model.settings(&["presets", "quick"]));
        let options: Options = merged.read().unwrap();
        assert_eq!((options.width, options.blur), (256, 1.5));
        assert_eq!((options.page.margin, options.page.ink.as_str()), (8, "red"));
        assert_eq!(
            merged.to_json(),
            json!({"width": 256, "blur": 1.5, "page": {"margin": 8, "ink": "red"}})
        );
    }

    #[test]
    fn a_mistake_is_found_in_the_text_that_its_key_stands_in() {
        let model = Document::parse("m.toml", MODEL).unwrap();
        let over = Settings::parse("--set", "pgae = 1").unwrap();
        let merged = model.settings(&["settings"]).merged(&over);
        let error = merged.read::<Options>().unwrap_err();
        assert_eq!(error.to_string(), "--set:1:1: unknown key `pgae`");

        let broken = MODEL.replace("ink = 'red'", "inc = 'red'");
        let model = Document::parse("m.toml", &broken).unwrap();
        let preset = model.settings(&["presets", "quick"]);
        let merged = model.settings(&["settings"]).merged(&preset);
        let error = merged.read::<Options>().unwrap_err();
        assert_eq!(error.to_string(), "m.toml:9:1: unknown key `inc`");

        let over = Settings::parse("--set", "blur = 'much'").unwrap();
        let error = model.settings(&["settings"]).merged(&over);
        let error = error.read::<Options>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "--set:1:8: expected a number, found string \"much\""
        );
    }

    #[test]
    fn options_of_a_program_need_no_text() {
        assert_eq!(Settings::default().to_json(), json!({}));
        assert_eq!(Settings::default().read::<Options>().unwrap().width, 0);
        let table = toml::toml! { width = -1 };
        let error = Settings::from_table(&table).unwrap();
        let error = error.read::<Options>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "options:1:9: expected a whole number, 0 or more, found integer `-1`"
        );
    }
}
