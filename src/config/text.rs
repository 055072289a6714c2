//! A TOML text, and the positions of its keys and values.

use crate::config::error::ConfigError;
use serde::de::DeserializeOwned;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// A named text, shared by everything that may point into it.
#[derive(Debug)]
pub(super) struct Text {
    name: String,
    content: Arc<str>,
}

impl Text {
    /// A text. `name` is its name in messages. A byte order mark at its start is skipped.
    ///
    /// # Errors
    /// Fails if it is not TOML.
    pub(super) fn parse(name: &str, content: &str) -> Result<Self, ConfigError> {
        let text = Self {
            name: name.to_owned(),
            content: Arc::from(content.trim_start_matches('\u{feff}')),
        };
        if let Err(error) = DeTable::parse(&text.content) {
            let span = error.span().unwrap_or(0..0);
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            return Err(text.mistake(span, format!("this is not TOML: {message}"), None));
        }
        Ok(text)
    }

    /// An error at the bytes `span`.
    pub(super) fn mistake(
        &self,
        span: Range<usize>,
        label: String,
        help: Option<String>,
    ) -> ConfigError {
        ConfigError::at(&self.name, Arc::clone(&self.content), span, label, help)
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The text as written.
    pub(super) fn content(&self) -> &str {
        &self.content
    }

    /// Its bytes.
    pub(super) fn len(&self) -> usize {
        self.content.len()
    }

    /// The table under the keys of `path` (an array's elements by number), with the position of each key and
    /// value. `None` if there is none.
    pub(super) fn table(&self, path: &[String]) -> Option<Spanned<DeTable<'_>>> {
        let table = DeTable::parse(&self.content).ok()?;
        let mut value = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
        for key in path {
            value = match value.into_inner() {
                DeValue::Table(mut inner) => inner.remove(key.as_str())?,
                DeValue::Array(inner) => inner.into_iter().nth(key.parse().ok()?)?,
                _ => return None,
            };
        }
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(inner) => Some(Spanned::new(span, inner)),
            _ => None,
        }
    }
}

/// Deserializes a located table; spans of errors are those of the text it was parsed from.
///
/// # Errors
/// Fails if a key is unknown or missing, or a value has the wrong type.
pub(super) fn read_table<T: DeserializeOwned>(
    table: Spanned<DeTable<'_>>,
) -> Result<T, toml::de::Error> {
    let span = table.span();
    let value = DeValue::Table(table.into_inner());
    T::deserialize(ValueDeserializer::from(Spanned::new(span, value)))
}

/// A table without keys.
pub(super) fn empty_table<'a>() -> Spanned<DeTable<'a>> {
    Spanned::new(0..0, DeTable::new())
}
