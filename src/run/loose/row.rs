//! One object on each line, in JSON or as Python's `json` writes it: with `NaN`, and with halves of surrogate
//! pairs.

use crate::python;
use crate::python::value::Value as Python;
use crate::record::Object;
use crate::run::error::RunError;
use crate::run::journal::broken;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use std::path::Path;

/// What the help of errors about lines says.
pub(super) const HELP: &str = "each line is one JSON object; see docs/reference/run-folder.md";

/// One row.
pub(super) struct Row {
    /// The number of the line, from 1.
    pub line: usize,
    /// The fields, as JSON.
    pub fields: Object,
    /// Where `NaN` or an infinite number replaces a number; such values are null in `fields`.
    pub not_numbers: Vec<NotNumber>,
}

/// A value that is not a number.
pub(super) struct NotNumber {
    /// The field of the row that it is in.
    pub field: String,
    /// Its path in the row, such as `evidence.value`.
    pub at: String,
    /// The value as it is written, such as `NaN`.
    pub written: &'static str,
}

impl Row {
    /// The row that a line holds.
    ///
    /// # Errors
    /// Fails if the line is not an object.
    pub(super) fn read(path: &Path, line: usize, text: &[u8]) -> Result<Self, RunError> {
        let error = match serde_json::from_slice(text) {
            Ok(fields) => {
                return Ok(Self {
                    line,
                    fields,
                    not_numbers: Vec::new(),
                });
            }
            Err(error) => error,
        };
        let python = std::str::from_utf8(text).ok().and_then(python::json::loads);
        let Some(Python::Dict(dict)) = python else {
            return Err(broken(path, line, text, &error));
        };
        let mut row = Self {
            line,
            fields: Object::new(),
            not_numbers: Vec::new(),
        };
        for (name, value) in dict.iter() {
            let field = name.to_str();
            let value = row.json(value, &field, &field);
            row.fields.insert(field, value);
        }
        Ok(row)
    }

    /// Python's value as JSON's.
    fn json(&mut self, value: &Python, field: &str, at: &str) -> Value {
        match value {
            Python::Bool(value) => Value::Bool(*value),
            Python::Int(digits) => {
                let whole = digits.parse::<i64>().map(Number::from);
                let whole = whole
                    .or_else(|_| digits.parse::<u64>().map(Number::from))
                    .ok();
                let float = || digits.parse().ok().and_then(Number::from_f64);
                whole.or_else(float).map_or(Value::Null, Value::Number)
            }
            Python::Float(float) => match Number::from_f64(*float) {
                Some(number) => Value::Number(number),
                None => {
                    self.not_numbers.push(NotNumber {
                        field: field.to_owned(),
                        at: at.to_owned(),
                        written: match (float.is_nan(), float.is_sign_negative()) {
                            (true, _) => "NaN",
                            (false, false) => "Infinity",
                            (false, true) => "-Infinity",
                        },
                    });
                    Value::Null
                }
            },
            Python::Str(text) => Value::String(text.clone()),
            Python::List(all) | Python::Tuple(all) | Python::Set(all) => {
                let all = all.iter().enumerate();
                all.map(|(index, value)| self.json(value, field, &format!("{at}[{index}]")))
                    .collect()
            }
            Python::Dict(dict) => {
                let pairs = dict.iter().map(|(key, value)| {
                    let key = key.to_str();
                    let value = self.json(value, field, &format!("{at}.{key}"));
                    (key, value)
                });
                Value::Object(pairs.collect())
            }
            Python::None | Python::Ellipsis | Python::Bytes(_) => Value::Null,
        }
    }

    /// Checks the row's item. An id that is written as a whole number becomes the text of its digits.
    ///
    /// # Errors
    /// Fails if there is none.
    pub(super) fn item(&mut self, path: &Path) -> Result<(), RunError> {
        match self.fields.get_mut("item") {
            Some(Value::String(_)) => Ok(()),
            Some(item) if item.is_i64() || item.is_u64() => {
                *item = Value::String(item.to_string());
                Ok(())
            }
            Some(other) => {
                let message = format!("`item` is {other}, but an id is expected");
                Err(RunError::line(path, self.line, message, HELP))
            }
            None => Err(RunError::line(
                path,
                self.line,
                "missing field `item`, the id of the item",
                HELP,
            )),
        }
    }

    /// Whether the row leaves out which of an item's outputs it is about.
    pub(super) fn implies_repeat(&self) -> bool {
        self.fields.get("repeat").is_none_or(Value::is_null)
    }

    /// Turns whole numbers that are written with a point into integers. Tables with gaps in a column write
    /// them so.
    pub(super) fn whole_numbers(&mut self, names: &[&str]) {
        for name in names {
            let Some(value) = self.fields.get_mut(*name) else {
                continue;
            };
            if let Some(float) = value.as_f64().filter(|_| value.is_f64())
                && float.fract() == 0.0
                && (0.0..=f64::from(u32::MAX)).contains(&float)
            {
                *value = Value::from(float as u64);
            }
        }
    }

    /// Leaves out fields without a value.
    pub(super) fn drop_nulls(&mut self) {
        self.fields.retain(|_, value| !value.is_null());
    }

    /// The record that the fields make.
    ///
    /// # Errors
    /// Fails if a field is not as expected, with the line.
    pub(super) fn record<T: DeserializeOwned>(self, path: &Path) -> Result<T, RunError> {
        let line = self.line;
        serde_json::from_value(Value::Object(self.fields))
            .map_err(|error| RunError::line(path, line, error.to_string(), HELP))
    }

    /// Gives a field a value unless it has one.
    pub(super) fn set_default(&mut self, name: &str, value: impl Into<Value>) {
        if self.fields.get(name).is_none_or(Value::is_null) {
            self.fields.insert(name.to_owned(), value.into());
        }
    }
}
