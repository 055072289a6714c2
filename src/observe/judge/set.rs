//! Prompt sets that are ready for use: their calls are checked, and their words are filled in for an item.

use super::definition::{Call, PromptSet};
use super::error::JudgeError;
use crate::files::sha256_hex;
use crate::record::{Item, Output};
use crate::text::thinking::{self, Parted};
use regex::Regex;
use serde_json::Value;
use std::path::Path;

/// The sets that are part of the program.
const BUILT_IN: [(&str, &str); 7] = [
    ("gedit", include_str!("../../../prompts/gedit.toml")),
    ("imgedit", include_str!("../../../prompts/imgedit.toml")),
    (
        "imgedit-multiturn",
        include_str!("../../../prompts/imgedit-multiturn.toml"),
    ),
    ("uge", include_str!("../../../prompts/uge.toml")),
    (
        "unified-reward",
        include_str!("../../../prompts/unified-reward.toml"),
    ),
    ("wise", include_str!("../../../prompts/wise.toml")),
    (
        "wise-verified",
        include_str!("../../../prompts/wise-verified.toml"),
    ),
];

/// A prompt set ready for use.
#[derive(Debug)]
pub(super) struct Prompts {
    pub set: PromptSet,
    /// `own`, `official`, or the name of the file with the prompts.
    pub wording: String,
    /// Hash of everything in the set that shapes a call, in hexadecimal digits.
    pub sha256: String,
    accept: Vec<Vec<Regex>>,
}

impl PromptSet {
    /// A set that is part of the program.
    ///
    /// # Errors
    /// Fails if there is no set with this name.
    pub(super) fn built_in(name: &str) -> Result<Self, JudgeError> {
        let known = BUILT_IN.iter().find(|(known, _)| *known == name);
        let Some((_, text)) = known else {
            let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            return Err(JudgeError::settings(
                format!("`set` is {name:?}, but there is no such prompt set"),
                format!(
                    "the sets are {}; for a set of your own, set `prompts` to a TOML file",
                    names.join(", ")
                ),
            ));
        };
        Self::parse(&format!("prompts/{name}.toml"), text)
    }

    /// A set in a file of the user.
    ///
    /// # Errors
    /// Fails if the file cannot be read or has a mistake.
    pub(super) fn file(path: &Path) -> Result<Self, JudgeError> {
        let text = std::fs::read_to_string(path).map_err(|error| JudgeError::file(path, &error))?;
        Self::parse(&path.display().to_string(), &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, JudgeError> {
        toml::from_str(text).map_err(|error| {
            JudgeError::settings(
                format!("{name}: {error}"),
                "see the prompt sets in `prompts/` of the repository",
            )
        })
    }

    /// Checks the definition.
    ///
    /// # Errors
    /// Fails if a part of the definition is wrong. The error names the part.
    pub(super) fn ready(self, wording: String) -> Result<Prompts, JudgeError> {
        let wrong = |what: String| {
            JudgeError::settings(
                format!("prompt set `{}`: {what}", self.name),
                "see the prompt sets in `prompts/` of the repository",
            )
        };
        if self.calls.is_empty() || self.rounds == 0 {
            return Err(wrong("it has no call".into()));
        }
        let mut accept = Vec::new();
        for call in &self.calls {
            if call.text.is_some() == call.choose.is_some() {
                return Err(wrong(format!(
                    "call `{}` needs either `text`, or `choose` and `texts`",
                    call.role
                )));
            }
            let patterns = call.accept.iter().map(|pattern| Regex::new(pattern));
            accept.push(
                patterns
                    .collect::<Result<_, _>>()
                    .map_err(|error| wrong(format!("call `{}`: {error}", call.role)))?,
            );
        }
        for field in self.fields() {
            let good = matches!(field, "prompt" | "output")
                || field.starts_with("expect.")
                || field.starts_with("tags.");
            if !good {
                return Err(wrong(format!(
                    "`{field}` must be prompt, output, expect.KEY or tags.KEY"
                )));
            }
        }
        let text = serde_json::to_vec(&self).map_err(|error| wrong(error.to_string()))?;
        Ok(Prompts {
            sha256: sha256_hex(text),
            set: self,
            wording,
            accept,
        })
    }
}

impl Prompts {
    /// The item's values that shape its calls.
    pub(super) fn item_values(&self, item: &Item) -> Value {
        let values = self.set.fields().filter(|field| *field != "output");
        values
            .map(|field| Value::from(item_value(item, None, field).ok()))
            .collect()
    }

    /// The system line and the question of a call.
    ///
    /// # Errors
    /// Fails if the item lacks a value, or if the set has no text for its value.
    pub(super) fn words(
        &self,
        call: &Call,
        item: &Item,
        output: &Output,
    ) -> Result<(Option<String>, String), String> {
        let text = match (&call.text, &call.choose) {
            (Some(text), _) => text,
            (None, field) => {
                let field = field.as_deref().unwrap_or_default();
                let key = item_value(item, Some(output), field)?;
                let renamed = call.rename.get(&key).unwrap_or(&key);
                call.texts.get(renamed).ok_or_else(|| {
                    let known: Vec<&str> = call.texts.keys().map(String::as_str).collect();
                    format!(
                        "the item's `{field}` is {key:?}, but prompt set `{}` has texts for: {}",
                        self.set.name,
                        known.join(", ")
                    )
                })?
            }
        };
        let system = call.system.as_deref();
        let system = system.map(|system| self.filled(system, item, output));
        Ok((system.transpose()?, self.filled(text, item, output)?))
    }

    /// Replaces the marks by their values in one pass. A mark inside a value stays as it is.
    fn filled(&self, text: &str, item: &Item, output: &Output) -> Result<String, String> {
        let (mut filled, mut rest) = (String::with_capacity(text.len() + 256), text);
        loop {
            let next = self.set.fill.iter().filter_map(|(mark, field)| {
                let at = rest.find(mark.as_str())?;
                Some((at, mark, field))
            });
            // Of two marks at the same place, the longer one counts.
            let next = next.min_by_key(|(at, mark, _)| (*at, usize::MAX - mark.len()));
            let Some((at, mark, field)) = next else {
                filled.push_str(rest);
                return Ok(filled);
            };
            filled.push_str(&rest[..at]);
            filled.push_str(&item_value(item, Some(output), field)?);
            rest = &rest[at + mark.len()..];
        }
    }

    /// Whether a reply matches the patterns of its call.
    pub(super) fn accepts(&self, call: usize, reply: &str) -> bool {
        let patterns = self.accept.get(call).map(Vec::as_slice).unwrap_or_default();
        patterns.iter().all(|pattern| pattern.is_match(reply))
    }
}

/// A value of an item or its output.
fn item_value(item: &Item, output: Option<&Output>, field: &str) -> Result<String, String> {
    let found = match field.split_once('.') {
        Some(("expect", key)) => item.expect.get(key).cloned(),
        Some(("tags", key)) => item.tags.get(key).map(|tag| Value::from(tag.as_str())),
        _ if field == "prompt" => return Ok(item.prompt.clone()),
        _ => output
            .and_then(|output| output.text.as_deref())
            .map(thinking::split_reply)
            .filter(Parted::answered)
            .map(|parted| Value::from(parted.answer())),
    };
    match found {
        Some(Value::String(text)) => Ok(text),
        Some(other) if !other.is_null() => Ok(other.to_string()),
        _ => Err(format!(
            "the item has no `{field}`, which the judge's prompt needs"
        )),
    }
}
