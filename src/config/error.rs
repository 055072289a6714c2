//! Errors in definition files, shown with their position and a suggestion.

use crate::text::nearest::nearest;
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

/// An error in a definition file. Its message contains the file, and the line and column if they are known.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
    help: Option<String>,
    place: Option<Box<Place>>,
}

/// The text around an error, for the snippet.
#[derive(Debug)]
struct Place {
    source: NamedSource<Arc<str>>,
    label: String,
    span: Range<usize>,
}

impl ConfigError {
    /// An error without a position in a text.
    pub fn new(message: impl Into<String>, help: Option<String>) -> Self {
        Self {
            message: message.into(),
            help,
            place: None,
        }
    }

    /// An error at the bytes `span` of the text `content`, whose name in messages is `name`.
    pub(super) fn at(
        name: &str,
        content: Arc<str>,
        span: Range<usize>,
        label: String,
        help: Option<String>,
    ) -> Self {
        let (line, column) = position(&content, span.start);
        Self {
            message: format!("{name}:{line}:{column}: {label}"),
            help,
            place: Some(Box::new(Place {
                source: NamedSource::new(name, content).with_language("TOML"),
                label,
                span,
            })),
        }
    }
}

/// The line and column of a byte, both counted from 1. Columns count characters.
fn position(content: &str, byte: usize) -> (usize, usize) {
    let before = &content[..content.floor_char_boundary(byte)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let place = self.place.as_ref()?;
        Some(&place.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        let label = LabeledSpan::new_with_span(Some(place.label.clone()), place.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

/// Rewords serde's message for people who write TOML, and derives the suggestion from the names in it.
pub(super) fn explain(message: &str) -> (String, Option<String>) {
    let message = message.lines().collect::<Vec<_>>().join(" ");
    for (start, noun) in [
        ("unknown field", "unknown key"),
        ("unknown variant", "unknown value"),
    ] {
        if let Some(rest) = message.strip_prefix(start) {
            return explain_unknown(rest, noun);
        }
    }
    if let Some(rest) = message.strip_prefix("missing field") {
        return (format!("the key{rest} is missing"), None);
    }
    if let Some(rest) = message.strip_prefix("duplicate field") {
        return (format!("the key{rest} appears twice"), None);
    }
    for start in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some(rest) = message.strip_prefix(start)
            && let Some((found, expected)) = rest.rsplit_once(", expected ")
        {
            return (
                format!("expected {}, found {found}", type_in_words(expected)),
                None,
            );
        }
    }
    (message, None)
}

/// The name of a Rust type in words.
fn type_in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

/// `rest` is serde's " `x`, expected one of `a`, `b`".
fn explain_unknown(rest: &str, noun: &str) -> (String, Option<String>) {
    let mut names = rest.split('`').skip(1).step_by(2);
    let name = names.next().unwrap_or_default();
    let accepted: Vec<&str> = names.collect();
    let mut help = String::new();
    if let Some(near) = nearest(name, accepted.iter().copied()) {
        help = format!("did you mean `{near}`? ");
    }
    if accepted.is_empty() {
        help.push_str("no keys are allowed here");
    } else {
        help.push_str(&format!("accepted here: {}", accepted.join(", ")));
    }
    (format!("{noun} `{name}`"), Some(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_accepts_slips_and_beginnings_but_nothing_far() {
        let names = ["observers", "repeats", "report", "items"];
        assert_eq!(nearest("observer", names), Some("observers"));
        assert_eq!(nearest("obsrevers", names), Some("observers"));
        assert_eq!(nearest("Repeats", names), Some("repeats"));
        assert_eq!(nearest("obs", names), Some("observers"));
        assert_eq!(nearest("temperature", names), None);
        assert_eq!(nearest("", names), None);
    }
}
