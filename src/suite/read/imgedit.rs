//! ImgEdit-Bench's JSON files: the basic suite (two revisions), the hard suite, and the suite of several turns.

use super::{Place, Raw, json};
use crate::record::Object;
use serde_json::Value;

/// A record for every key, or for every turn of a key.
pub(super) fn read(text: &str) -> Vec<Raw<'static>> {
    json::read(text).into_iter().flat_map(records).collect()
}

fn records(raw: Raw<'static>) -> Vec<Raw<'static>> {
    let record = match raw.record() {
        Ok(record) => record,
        Err(problem) => return vec![Raw::Broken(problem)],
    };
    let (place, mut fields) = (record.place, record.fields);
    let Some(key) = record.key else {
        return vec![Raw::broken(place, "ImgEdit's items stand under their keys")];
    };
    // UniWorld-V1's copy has a type that its prompts do not know.
    if fields.get("edit_type").and_then(Value::as_str) == Some("alter") {
        fields.insert("edit_type".to_owned(), "adjust".into());
    }
    if !fields.contains_key("turn1") {
        return vec![Raw::parsed(place, Some(key), fields)];
    }
    let turns = (1..)
        .map_while(|number: usize| Some((number, fields.get(&format!("turn{number}"))?.clone())));
    let turns: Vec<(usize, Value)> = turns.collect();
    let records = turns.into_iter();
    records
        .map(|(number, prompt)| turn(&place, &key, &fields, number, prompt))
        .collect()
}

fn turn(place: &Place, key: &str, fields: &Object, number: usize, prompt: Value) -> Raw<'static> {
    let mut own = fields.clone();
    own.insert("prompt".to_owned(), prompt);
    own.insert("turn".to_owned(), number.into());
    own.insert("key".to_owned(), key.into());
    Raw::parsed(place.clone(), Some(format!("{key}_turn{number}")), own)
}
