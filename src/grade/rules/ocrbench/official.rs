//! The file that `example.py` writes: the items of OCRBench.json with `predict` and `result`.

use super::item::dataset;
use crate::grade::answer;
use crate::grade::rule::{Board, OfficialFile};
use crate::python;
use crate::record::{Item, Object};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The first output of every item, as it was graded; an item without one has neither `predict` nor `result`.
pub(super) fn file(board: &Board<'_>) -> OfficialFile {
    let outputs = board.outputs.unwrap_or_default().iter();
    let said: HashMap<&str, String> = outputs
        .filter(|output| output.repeat == 0 && output.error.is_none())
        .filter_map(|output| Some((output.item.as_str(), answer::graded_words(output)?)))
        .collect();
    let grades = board.grades.iter().filter(|grade| grade.repeat == 0);
    let results: HashMap<&str, f64> = grades
        .filter_map(|grade| Some((grade.item.as_str(), grade.score?)))
        .collect();
    let items = board.items.iter().map(|item| {
        let mut record = record(item);
        let name = item.item.as_str();
        if let (Some(said), Some(result)) = (said.get(name), results.get(name)) {
            record.insert("predict".into(), json!(said));
            // It is a whole number, for right or wrong.
            record.insert("result".into(), json!(u8::from(*result > 0.0)));
        }
        Value::Object(record)
    });
    OfficialFile {
        name: "OCRBench.json".into(),
        text: python::json::dumps_indented(&items.collect(), 4),
    }
}

/// The item as the benchmark's file has it.
fn record(item: &Item) -> Object {
    let expect = |key: &str| item.expect.get(key).cloned();
    let image = || {
        item.images
            .first()
            .map_or(Value::Null, |image| json!(image))
    };
    Object::from_iter([
        ("dataset_name".to_owned(), json!(dataset(item))),
        ("id".to_owned(), expect("id").unwrap_or_default()),
        (
            "image_path".to_owned(),
            expect("image_path").unwrap_or_else(image),
        ),
        (
            "question".to_owned(),
            expect("question").unwrap_or_else(|| json!(item.prompt)),
        ),
        ("answers".to_owned(), expect("answers").unwrap_or_default()),
        ("type".to_owned(), expect("type").unwrap_or_default()),
    ])
}
