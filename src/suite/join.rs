//! A second source of fields for the records of a suite.

use crate::config::Join;
use crate::formats::Raw;
use crate::record::Object;
use crate::suite::error::{Problem, SuiteError};
use crate::suite::map::{field, plain};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The rows of the second source by the value of the common field.
pub(super) struct Joined {
    on: String,
    /// What messages call the source.
    name: String,
    rows: HashMap<String, Object>,
}

impl Joined {
    /// # Errors
    /// Fails if a row is broken, lacks a field that `join` names, or has the same value of the common field
    /// as an earlier row.
    pub(super) fn new(join: &Join, rows: Vec<Raw<'_>>, name: &str) -> Result<Self, SuiteError> {
        let mut joined = Self {
            on: join.on.clone(),
            name: name.to_owned(),
            rows: HashMap::with_capacity(rows.len()),
        };
        let mut problems = Vec::new();
        for raw in rows {
            let read = raw.record().map_err(Problem::from).and_then(|row| {
                let place = row.place;
                joined
                    .add_row(join, row.fields)
                    .map_err(|message| Problem::new(place, message))
            });
            problems.extend(read.err());
        }
        if problems.is_empty() {
            Ok(joined)
        } else {
            Err(SuiteError::broken(name, problems))
        }
    }

    fn add_row(&mut self, join: &Join, row: Object) -> Result<(), String> {
        for (name, value) in &join.only {
            if plain(field(&row, name)?).as_ref() != Some(value) {
                return Ok(());
            }
        }
        let key = key(&row, &self.on)?;
        match self.rows.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(row);
                Ok(())
            }
            Entry::Occupied(entry) => Err(format!(
                "an earlier row also has `{}` = {}",
                self.on,
                entry.key()
            )),
        }
    }

    /// Adds the row's fields to a record, except those that the record already has.
    pub(super) fn add(&self, record: &mut Object) -> Result<(), String> {
        let key = key(record, &self.on)?;
        let row = self
            .rows
            .get(&key)
            .ok_or_else(|| format!("{} has no row with `{}` = {key}", self.name, self.on))?;
        for (name, value) in row {
            if !record.contains_key(name) {
                record.insert(name.clone(), value.clone());
            }
        }
        Ok(())
    }
}

fn key(fields: &Object, on: &str) -> Result<String, String> {
    plain(field(fields, on)?)
        .ok_or_else(|| format!("the field `{on}` must be a string or a number"))
}
