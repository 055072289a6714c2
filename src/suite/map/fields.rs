//! Values of a record's fields, as the types that the mapping expects.

use crate::config::{FieldOrValue, nearest};
use crate::formats::lists;
use crate::record::Object;
use serde_json::Value;
use std::borrow::Cow;

/// The paths that a field holds.
pub(super) fn paths(name: &str, value: &Value) -> Result<Vec<String>, String> {
    let wrong = || format!("the field `{name}` must be the path of an image or a list of paths");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(path) => Ok(vec![path.clone()]),
        Value::Array(paths) => paths
            .iter()
            .map(|path| path.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect(),
        _ => Err(wrong()),
    }
}

/// A tag's text; null leaves the tag out.
pub(super) fn tag_text(tag: &str, value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        other => plain(other)
            .map(Some)
            .ok_or_else(|| format!("the tag `{tag}` must be a string, a number, true or false")),
    }
}

/// A string or a number as text.
pub(in crate::suite) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn value<'a>(
    fields: &'a Object,
    source: &'a FieldOrValue,
) -> Result<Cow<'a, Value>, String> {
    match source {
        FieldOrValue::Field(name) => field(fields, name).map(Cow::Borrowed),
        FieldOrValue::Value { value } => Ok(Cow::Borrowed(value)),
        FieldOrValue::PythonList { python_list } => {
            let strings = lists::strings(string(fields, python_list)?)
                .map_err(|why| format!("the field `{python_list}` is not a list: {why}"))?;
            Ok(Cow::Owned(strings.into()))
        }
    }
}

pub(super) fn string<'a>(fields: &'a Object, name: &str) -> Result<&'a str, String> {
    field(fields, name)?
        .as_str()
        .ok_or_else(|| format!("the field `{name}` must be a string"))
}

pub(in crate::suite) fn field<'a>(fields: &'a Object, name: &str) -> Result<&'a Value, String> {
    fields.get(name).ok_or_else(|| {
        let names = || fields.keys().map(String::as_str);
        match nearest(name, names()) {
            Some(near) => format!("the field `{name}` is missing; did you mean `{near}`?"),
            None => {
                let names: Vec<&str> = names().take(12).collect();
                format!(
                    "the field `{name}` is missing; the fields are {}",
                    names.join(", ")
                )
            }
        }
    })
}
