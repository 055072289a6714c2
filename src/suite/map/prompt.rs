//! What is asked: a field of the record, or a text with fields in braces.

use super::fields::string;
use super::template::Template;
use crate::formats::Record;

/// How the prompt of a record is made.
pub(super) enum Prompt {
    Field(String),
    /// One template for each line.
    Text(Vec<Template>),
}

impl Prompt {
    /// A text without braces is the name of a field.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['{', '}']) {
            return Ok(Self::Field(text.to_owned()));
        }
        let line = |line: &str| {
            if line.contains(['{', '}']) {
                Template::parse(line)
            } else {
                Ok(Template::constant(line))
            }
        };
        text.split('\n')
            .map(line)
            .collect::<Result<_, _>>()
            .map(Self::Text)
    }

    /// The fields it names, and whether each must be there.
    pub(super) fn names(&self) -> Vec<(&str, bool)> {
        match self {
            Self::Field(name) => vec![(name.as_str(), true)],
            Self::Text(lines) => lines.iter().flat_map(Template::names).collect(),
        }
    }

    /// The prompt of the `index`-th record.
    pub(super) fn fill_in(&self, index: usize, record: &Record) -> Result<String, String> {
        let prompt = match self {
            Self::Field(name) => string(&record.fields, name)?.to_owned(),
            Self::Text(lines) => {
                let kept = lines.iter().filter(|line| !line.lacks(record));
                let lines: Vec<String> = kept
                    .map(|line| line.fill_in(index, record))
                    .collect::<Result<_, _>>()?;
                lines.join("\n")
            }
        };
        match (prompt.trim().is_empty(), self) {
            (false, _) => Ok(prompt),
            (true, Self::Field(name)) => Err(format!("the field `{name}` is empty")),
            (true, Self::Text(_)) => Err("the prompt made from it is empty".to_owned()),
        }
    }
}
