//! DPG-Bench's `dpg_bench.csv`, with a row for every proposition.

use super::description::{FormatDescription, Reading};
use super::record::{Place, Raw};
use crate::record::Object;
use serde_json::{Value, json};

/// The table as the official script reads it.
pub(super) static DPG_CSV: FormatDescription = FormatDescription {
    name: "dpg-csv",
    about: "DPG-Bench's table with one proposition in each row. The rows of one `item_id` become one record with `id`, \
            `prompt` and `propositions`. As in the official script, the first row is left out.",
    expected: "DPG-Bench's table of propositions",
    extensions: &[],
    own_json: None,
    reading: Reading::Text(|text, _| read(text, true)),
};

/// The table with all its rows.
pub(super) static DPG_CSV_WHOLE: FormatDescription = FormatDescription {
    name: "dpg-csv-whole",
    about: "The same table with its first row.",
    expected: "DPG-Bench's table of propositions",
    extensions: &[],
    own_json: None,
    reading: Reading::Text(|text, _| read(text, false)),
};

/// Columns of the table, each with its key in a proposition.
const COLUMNS: [(&str, &str); 6] = [
    ("proposition_id", "id"),
    ("dependency", "dependency"),
    ("category_broad", "category_broad"),
    ("category_detailed", "category_detailed"),
    ("tuple", "tuple"),
    ("question_natural_language", "question"),
];

/// A record for every item, in the order of their first rows. If later rows of an item are apart from the
/// earlier ones, they replace them.
fn read(text: &str, skip_first: bool) -> Result<Vec<Raw<'static>>, String> {
    let mut records: Vec<(String, Place, Object)> = Vec::new();
    let mut last: Option<String> = None;
    for raw in super::csv::rows(text)?
        .into_iter()
        .skip(usize::from(skip_first))
    {
        let row = match raw.record() {
            Ok(row) => row,
            Err(problem) => return Ok(vec![Raw::Broken(problem)]),
        };
        let cell = |name: &str| row.fields.get(name).and_then(Value::as_str);
        let (Some(id), Some(prompt)) = (cell("item_id"), cell("text")) else {
            let message = "the table needs the columns `item_id` and `text`";
            return Ok(vec![Raw::broken(row.place, message)]);
        };
        let mut proposition = Object::new();
        for (column, key) in COLUMNS {
            let Some(value) = cell(column) else {
                let message = format!("the table needs the column `{column}`");
                return Ok(vec![Raw::broken(row.place, message)]);
            };
            let number = (key == "id")
                .then(|| value.trim().parse::<i64>().ok())
                .flatten();
            proposition.insert(key.into(), number.map_or_else(|| value.into(), Value::from));
        }
        let known = records.iter().position(|(known, ..)| known == id);
        let fresh = || {
            let fields = json!({"id": id, "prompt": prompt, "propositions": []});
            fields.as_object().cloned().unwrap_or_default()
        };
        let at = match known {
            Some(at) => {
                if last.as_deref() != Some(id) {
                    records[at].2 = fresh();
                }
                at
            }
            None => {
                records.push((id.to_owned(), row.place.clone(), fresh()));
                records.len() - 1
            }
        };
        if let Some(Value::Array(all)) = records[at].2.get_mut("propositions") {
            all.push(Value::Object(proposition));
        }
        last = Some(id.to_owned());
    }
    let records = records.into_iter();
    Ok(records
        .map(|(_, place, fields)| Raw::parsed(place, None, fields))
        .collect())
}
