//! Texts put together from fields: `{prompt_id:04}`.

use super::fields::{field, plain};
use crate::formats::Record;
use std::path::Path;

/// The options of a multiple-choice question, each on its own line.
pub(super) const OPTIONS: &str = "@options";

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field {
        name: String,
        form: Form,
        /// Whether the field may be missing or empty.
        optional: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Plain,
    /// With zeros in front, up to this many characters.
    Zeros(usize),
    /// Without the extension of a file name.
    Stem,
}

impl Template {
    /// A text without braces is the name of one field.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['{', '}']) {
            return Ok(Self(vec![Part::Field {
                name: text.to_owned(),
                form: Form::Plain,
                optional: false,
            }]));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(open);
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let inside = after
                .strip_prefix('{')
                .and_then(|after| after.split_once('}'));
            let Some((inside, after)) = inside else {
                return Err(format!("a brace of `{text}` has no partner"));
            };
            parts.push(placeholder(inside)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// A text without fields.
    pub(super) fn constant(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// The fields it names, and whether each must be there.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().filter_map(|part| match part {
            Part::Field { name, optional, .. } => {
                (!name.starts_with('@')).then_some((name.as_str(), !optional))
            }
            Part::Text(_) => None,
        })
    }

    /// Whether an optional field of it is missing or empty.
    pub(super) fn lacks(&self, record: &Record) -> bool {
        self.0.iter().any(|part| match part {
            Part::Field {
                name,
                optional: true,
                ..
            } => {
                let text = record.fields.get(name).and_then(plain);
                text.is_none_or(|text| text.trim().is_empty())
            }
            _ => false,
        })
    }

    /// The text for the `index`-th record.
    pub(super) fn fill_in(&self, index: usize, record: &Record) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Field { name, form, .. } => {
                    let text = lookup(name, index, record)?;
                    match form {
                        Form::Plain => filled.push_str(&text),
                        Form::Zeros(width) => filled.push_str(&format!("{text:0>width$}")),
                        Form::Stem => {
                            let stem = Path::new(&text).file_stem();
                            filled.push_str(&stem.unwrap_or_default().to_string_lossy());
                        }
                    }
                }
            }
        }
        Ok(filled)
    }
}

fn lookup(name: &str, index: usize, record: &Record) -> Result<String, String> {
    match name {
        "@index" => Ok(index.to_string()),
        "@key" => {
            (record.key.clone()).ok_or_else(|| "records of this source have no key".to_owned())
        }
        name => plain(field(&record.fields, name)?)
            .ok_or_else(|| format!("the field `{name}` must be a string or a number")),
    }
}

/// Parses `name`, `name:05` or `name:stem`, each of which may follow a `?`.
fn placeholder(inside: &str) -> Result<Part, String> {
    let (optional, inside) = match inside.strip_prefix('?') {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    let (name, form) = inside.split_once(':').unwrap_or((inside, ""));
    let form = match form {
        "" => Form::Plain,
        "stem" => Form::Stem,
        zeros => match zeros.strip_prefix('0').map(str::parse) {
            Some(Ok(width @ 1..=20)) => Form::Zeros(width),
            _ => {
                return Err(format!(
                    "`{zeros}` is not a form of a field; write a form such as `04` or `stem`"
                ));
            }
        },
    };
    if name.is_empty() {
        return Err("a pair of braces contains no field".to_owned());
    }
    let known = !name.starts_with('@') || ["@index", "@key", OPTIONS].contains(&name);
    if !known {
        return Err(format!(
            "`{name}` is neither `@index`, `@key` nor `{OPTIONS}`"
        ));
    }
    Ok(Part::Field {
        name: name.to_owned(),
        form,
        optional,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Place;
    use proptest::prelude::*;
    use serde_json::json;

    fn record() -> Record {
        let fields = json!({"n": 7, "long": 123_456, "file": "a/b.tar.gz", "list": []});
        Record {
            place: Place::Line(1, None),
            key: Some("k.txt".to_owned()),
            fields: fields.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn fields_are_padded_and_stripped() {
        let filled =
            |text| Template::parse(text).and_then(|template| template.fill_in(41, &record()));
        assert_eq!(filled("n").unwrap(), "7");
        assert_eq!(filled("{n:04}_{long:04}").unwrap(), "0007_123456");
        assert_eq!(filled("x{@index:03}-{@key:stem}").unwrap(), "x041-k");
        assert_eq!(filled("{file:stem}").unwrap(), "b.tar");
        for wrong in [
            "{n", "n}", "{}", "{n:4}", "{n:0}", "{n:099}", "{@row}", "{list}", "{m}",
        ] {
            assert!(filled(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_template_panics(text in "([{}:0-9a-z@é]|n|@index|@key|stem){0,12}") {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.fill_in(0, &record());
            }
        }
    }
}
