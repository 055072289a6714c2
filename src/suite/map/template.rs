//! Ids put together from fields: `{prompt_id:04}`.

use super::{field, plain};
use crate::suite::read::Record;
use std::path::Path;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { name: String, form: Form },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Plain,
    /// Zeros in front up to this many characters.
    Zeros(usize),
    /// Without the extension.
    Stem,
}

impl Template {
    /// A text without braces is the name of one field.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['{', '}']) {
            let name = text.to_owned();
            let form = Form::Plain;
            return Ok(Self(vec![Part::Field { name, form }]));
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

    /// The text for the `index`-th record.
    pub(super) fn fill(&self, index: usize, record: &Record) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Field { name, form } => {
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

/// `name`, `name:05` or `name:stem`.
fn placeholder(inside: &str) -> Result<Part, String> {
    let (name, form) = inside.split_once(':').unwrap_or((inside, ""));
    let form = match form {
        "" => Form::Plain,
        "stem" => Form::Stem,
        zeros => match zeros.strip_prefix('0').map(str::parse) {
            Some(Ok(width @ 1..=20)) => Form::Zeros(width),
            _ => {
                return Err(format!(
                    "`{zeros}` is no form of a field: `04` and `stem` are"
                ));
            }
        },
    };
    if name.is_empty() {
        return Err("a pair of braces names no field".to_owned());
    }
    let known = !name.starts_with('@') || name == "@index" || name == "@key";
    if !known {
        return Err(format!("`{name}` is neither `@index` nor `@key`"));
    }
    Ok(Part::Field {
        name: name.to_owned(),
        form,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::read::Place;
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
        let filled = |text| Template::parse(text).and_then(|template| template.fill(41, &record()));
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
                let _ = template.fill(0, &record());
            }
        }
    }
}
