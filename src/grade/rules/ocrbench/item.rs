//! What an item of OCRBench says about itself.

use crate::record::Item;
use serde_json::Value;

/// The text at one of the keys of an item's `expect`. The official file says `dataset_name` for `dataset`.
pub(super) fn field<'a>(item: &'a Item, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| item.expect.get(*key)?.as_str())
}

/// The data set of an item.
pub(super) fn dataset(item: &Item) -> Option<&str> {
    field(item, &["dataset", "dataset_name"])
}

/// `expect.answers`: a text or a list of texts.
pub(super) fn read_answers(item: &Item) -> Result<Vec<&str>, String> {
    let wrong = || "the item's `expect.answers` is neither a text nor a list of texts".to_owned();
    match item.expect.get("answers") {
        Some(Value::String(answer)) => Ok(vec![answer]),
        Some(Value::Array(list)) => {
            let texts = list.iter().map(Value::as_str);
            texts.collect::<Option<_>>().ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}
