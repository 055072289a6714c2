//! The key of a server. It comes from the environment or a file, is sent in one header, and is never shown.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::path::Path;

/// Shortest key that is hidden, in bytes. Shorter keys are placeholders, and hiding them would spoil ordinary
/// words.
const SHORTEST_SECRET: usize = 8;

/// A key, or the absence of one.
#[derive(Clone)]
pub struct Key {
    value: Option<String>,
    /// Where the key is looked for, in words.
    place: String,
    /// The header for the key, instead of `Authorization: Bearer`.
    header: Option<String>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(from {})", self.place)
    }
}

impl Key {
    /// The key in an environment variable. An empty or unset variable means that the server needs no key.
    pub fn of_variable(name: &str) -> Self {
        let value = std::env::var(name).unwrap_or_default();
        Self::new(&value, name.to_owned())
    }

    /// The key in a file, as containers receive their secrets.
    ///
    /// # Errors
    /// Fails if the file cannot be read or is empty.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("names {}, which cannot be read: {error}", path.display()))?;
        let key = Self::new(&text, format!("the file {}", path.display()));
        match key.value {
            Some(_) => Ok(key),
            None => Err(format!("names {}, which is empty", path.display())),
        }
    }

    fn new(value: &str, place: String) -> Self {
        let value = value.trim();
        Self {
            value: (!value.is_empty()).then(|| value.to_owned()),
            place,
            header: None,
        }
    }

    /// Sends only the key in this header (such as `api-key`), as some gateways require.
    #[must_use]
    pub fn in_header(mut self, name: Option<&str>) -> Self {
        self.header = name.map(str::to_owned);
        self
    }

    /// The header with the key. There is no header without a key.
    ///
    /// # Errors
    /// Fails if the key or the name of the header cannot be sent.
    pub fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        let Some(key) = &self.value else {
            return Ok(headers);
        };
        let (name, text) = match &self.header {
            None => (AUTHORIZATION, format!("Bearer {key}")),
            Some(name) => (
                HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| format!("`{name}` is not the name of an HTTP header"))?,
                key.clone(),
            ),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            format!(
                "the key in {} contains characters that a key cannot have",
                self.place
            )
        })?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(headers)
    }

    /// Replaces the key in the words of a server that repeats it.
    pub fn hide(&self, text: &str) -> String {
        match &self.value {
            Some(key) if key.len() >= SHORTEST_SECRET => text.replace(key.as_str(), "[key]"),
            _ => text.to_owned(),
        }
    }

    /// What to do if the server does not accept the key.
    pub fn advice(&self) -> String {
        match self.value {
            Some(_) => format!("the key in {} is not accepted", self.place),
            None => format!("set {} to the server's key", self.place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_from_a_file_and_is_shown_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "sk-0123456789\n").unwrap();
        let key = Key::of_file(&path).unwrap();
        assert_eq!(
            key.headers().unwrap()["authorization"],
            "Bearer sk-0123456789"
        );
        let azure = key.clone().in_header(Some("api-key"));
        assert_eq!(azure.headers().unwrap()["api-key"], "sk-0123456789");
        assert_eq!(key.hide("bad key sk-0123456789!"), "bad key [key]!");
        let shown = format!("{key:?} {:?} {}", azure.headers().unwrap(), key.advice());
        assert!(!shown.contains("0123456789"), "{shown}");
        std::fs::write(&path, " \n").unwrap();
        assert!(Key::of_file(&path).is_err());
    }

    #[test]
    fn a_placeholder_for_a_local_server_hides_no_words() {
        let key = Key::new("none", "K".into());
        assert_eq!(key.hide("none of them"), "none of them");
    }
}
