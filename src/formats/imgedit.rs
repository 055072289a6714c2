//! ImgEdit-Bench's JSON files: the basic suite (two revisions), the hard suite, and the suites of several
//! turns.

use super::description::{FormatDescription, Reading, Several};
use super::json;
use super::record::Raw;
use serde_json::Value;

/// ImgEdit-Bench's files.
pub(super) static IMGEDIT: FormatDescription = FormatDescription {
    name: "imgedit",
    about: "ImgEdit-Bench's files: keys with `id` (the input image), `prompt` and `edit_type`, where `alter` of \
            UniWorld-V1's copy becomes `adjust`; or with `turn1`, `turn2`, …, of which each becomes a record \
            `KEY_turn1`, … that starts from the output of the turn before, with `turn`, `category` (the file's name) \
            and the `earlier` instructions. Where there are several files, the keys begin with the file's name.",
    expected: "an object of ImgEdit's items by key",
    extensions: &[],
    own_json: Some(Several::ByName),
    reading: Reading::Text(|text, stem| Ok(read(text, stem))),
};

/// A record for every key, or for every turn of a key; `name` is the file's. Several files come as one
/// object, under their names.
fn read(text: &str, name: &str) -> Vec<Raw<'static>> {
    let raws = json::records(text).into_iter();
    raws.flat_map(|raw| records(raw, name, "")).collect()
}

/// `within` precedes the keys where those of several files could meet.
fn records(raw: Raw<'static>, name: &str, within: &str) -> Vec<Raw<'static>> {
    let record = match raw.record() {
        Ok(record) => record,
        Err(problem) => return vec![Raw::Broken(problem)],
    };
    let (place, mut fields) = (record.place, record.fields);
    let Some(key) = record.key else {
        return vec![Raw::broken(
            place,
            "expected ImgEdit's items under their keys",
        )];
    };
    if within.is_empty() && !fields.is_empty() && fields.values().all(Value::is_object) {
        let items = json::entries(fields);
        let within = format!("{key}_");
        return items
            .flat_map(|item| records(item, &key, &within))
            .collect();
    }
    // UniWorld-V1's copy has a type that its prompts do not know.
    if fields.get("edit_type").and_then(Value::as_str) == Some("alter") {
        fields.insert("edit_type".to_owned(), "adjust".into());
    }
    if !fields.contains_key("turn1") {
        return vec![Raw::parsed(place, Some(format!("{within}{key}")), fields)];
    }
    let turns = (1..).map_while(|number: usize| fields.get(&format!("turn{number}")).cloned());
    let turns: Vec<Value> = turns.collect();
    fields.insert("key".to_owned(), key.as_str().into());
    fields.insert("category".to_owned(), name.into());
    let id = |number: usize| format!("{within}{key}_turn{number}");
    let turn = |(before, prompt): (usize, &Value)| {
        let mut own = fields.clone();
        own.insert("prompt".to_owned(), prompt.clone());
        own.insert("turn".to_owned(), (before + 1).into());
        own.insert("earlier".to_owned(), earlier(&turns[..before]).into());
        if before > 0 {
            own.insert("input_from".to_owned(), id(before).into());
        }
        Raw::parsed(place.clone(), Some(id(before + 1)), own)
    };
    turns.iter().enumerate().map(turn).collect()
}

/// The instructions of the earlier turns, each on its own line.
fn earlier(turns: &[Value]) -> String {
    let lines = turns.iter().filter_map(Value::as_str).enumerate();
    let lines: Vec<String> = lines
        .map(|(at, turn)| format!("{}. {turn}", at + 1))
        .collect();
    if lines.is_empty() {
        "none".to_owned()
    } else {
        lines.join("\n")
    }
}
