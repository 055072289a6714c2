//! The file that `eval.py` writes and `get_score.py` reads: the records of the benchmark with `predict` and
//! `score`.

use super::graded::IGNORED;
use crate::grade::answer;
use crate::grade::rule::{Board, OfficialFile};
use crate::python;
use crate::record::{Item, Object};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The first output of every item, as it was graded. An item without a score has none here either. So the
/// official aggregation stops at it, and does not count an ungraded output as wrong.
pub(super) fn file(board: &Board<'_>) -> OfficialFile {
    let outputs = board.outputs.unwrap_or_default().iter();
    let said: HashMap<&str, Option<String>> = outputs
        .filter(|output| output.repeat == 0 && output.error.is_none())
        .map(|output| (output.item.as_str(), answer::graded_words(output)))
        .collect();
    let grades: HashMap<&str, _> = (board.grades.iter())
        .filter(|grade| grade.repeat == 0)
        .map(|grade| (grade.item.as_str(), grade))
        .collect();
    let items = board.items.iter().map(|item| {
        let mut record = record(item);
        let name = item.item.as_str();
        if let Some(said) = said.get(name) {
            record.insert("predict".into(), json!(said));
        }
        let grade = grades.get(name).copied();
        if let Some((grade, score)) = grade.and_then(|grade| Some((grade, grade.score?))) {
            if grade.parts.get(IGNORED).is_some() {
                record.insert("ignore".into(), json!("True"));
            }
            record.insert("score".into(), json!(score));
        }
        Value::Object(record)
    });
    OfficialFile {
        name: "OCRBench_v2.json".into(),
        text: python::json::dumps_unicode(&items.collect(), 4),
    }
}

/// The item as the benchmark's file has it.
fn record(item: &Item) -> Object {
    let mut record = item.expect.clone();
    if let Some(dataset) = record.shift_remove("dataset") {
        record.entry("dataset_name").or_insert(dataset);
    }
    let image = item.images.first();
    record.entry("id").or_insert_with(|| json!(item.item));
    record.entry("image_path").or_insert_with(|| json!(image));
    record
        .entry("question")
        .or_insert_with(|| json!(item.prompt));
    record
}
