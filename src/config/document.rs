//! A TOML text and its parsed form, with the position of every key and value.

use crate::config::error::{ConfigError, explain};
use crate::config::settings::Settings;
use crate::config::text::{Text, empty_table, read_table};
use serde::de::DeserializeOwned;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::de::DeValue;

/// Largest size of a definition, in bytes. A larger file is not a definition.
const MAX_BYTES: u64 = 4 << 20;

/// A parsed definition file. It is kept, so that errors found later can still be located in it.
#[derive(Debug, Clone)]
pub struct Document {
    text: Arc<Text>,
}

impl Document {
    /// Reads and parses a TOML file. A byte order mark at its start is accepted.
    ///
    /// # Errors
    /// Fails if there is no such file, it cannot be read, is not UTF-8, or is not TOML.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let bytes = read_bytes(path)?;
        match String::from_utf8(bytes) {
            Ok(content) => Self::parse(&name, &content),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = error.as_bytes()[..valid]
                    .split(|byte| *byte == b'\n')
                    .count();
                Err(ConfigError::new(
                    format!("{name}:{line}: this is not UTF-8 text"),
                    Some("save the file in the encoding UTF-8".to_owned()),
                ))
            }
        }
    }

    /// Parses a TOML text. `name` is its name in messages.
    ///
    /// # Errors
    /// Fails if it is not TOML.
    pub fn parse(name: &str, content: &str) -> Result<Self, ConfigError> {
        let text = Arc::new(Text::parse(name, content)?);
        Ok(Self { text })
    }

    /// The name of this document in messages: its path, or `name (built in)`.
    pub fn name(&self) -> &str {
        self.text.name()
    }

    /// The text as written, without a byte order mark.
    pub fn content(&self) -> &str {
        self.text.content()
    }

    /// The whole document as `T`.
    ///
    /// # Errors
    /// When a key is unknown or missing, or a value has the wrong type; the error points at it.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let root = self.text.table(&[]).unwrap_or_else(empty_table);
        let whole = root.span();
        read_table(root).map_err(|error| {
            let (message, help) = explain(error.message());
            match error.span().filter(|span| *span != whole) {
                Some(span) => self.text.mistake(span, message, help),
                None => ConfigError::new(format!("{}: {message}", self.name()), help),
            }
        })
    }

    /// The options under the keys of `path`. Empty if there is no such table.
    pub fn settings(&self, path: &[&str]) -> Settings {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Settings::located(Arc::clone(&self.text), path)
    }

    /// An error in the value under the keys of `path` (elements of arrays by number), for checks that go
    /// beyond types.
    pub fn mistake(
        &self,
        path: &[&str],
        message: impl Into<String>,
        help: Option<String>,
    ) -> ConfigError {
        match self.span(path) {
            Some(span) => self.text.mistake(span, message.into(), help),
            None => ConfigError::new(format!("{}: {}", self.name(), message.into()), help),
        }
    }

    /// The bytes of the value under `path`, or of the deepest part of it that exists.
    fn span(&self, path: &[&str]) -> Option<Range<usize>> {
        let root = self.text.table(&[])?;
        let (first, rest) = path.split_first()?;
        let mut value = root.get_ref().get(*first)?;
        for key in rest {
            let next = match value.get_ref() {
                DeValue::Array(array) => {
                    let index: Option<usize> = key.parse().ok();
                    index.and_then(|index| array.get(index))
                }
                other => other.get(*key),
            };
            match next {
                Some(next) => value = next,
                None => break,
            }
        }
        Some(value.span())
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let name = path.display();
    let cannot = |error: std::io::Error| {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "check the spelling, and check that you are in the right folder"
            }
            std::io::ErrorKind::PermissionDenied => "you do not have the permission to read it",
            _ => "expected a TOML file",
        };
        let problem = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => format!("cannot be read ({error})"),
        };
        ConfigError::new(format!("{name}: {problem}"), Some(help.to_owned()))
    };
    if path.is_dir() {
        return Err(ConfigError::new(
            format!("{name}: this is a folder"),
            Some("give the path of the TOML file inside it".to_owned()),
        ));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ConfigError::new(
            format!(
                "{name}: the file is larger than the limit for definitions ({MAX_BYTES} bytes)"
            ),
            Some("expected a TOML file".to_owned()),
        ));
    }
    Ok(bytes)
}
