//! OCRBench's official numbers.

use super::item::{dataset, field};
use crate::grade::rule::Board;
use crate::record::Item;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The number of items of OCRBench.
const ITEMS: usize = 1000;

/// What the official script prints at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::grade::rules) enum Averaging {
    /// Right answers by type, out of 1000: for the 1000 items of OCRBench.
    #[default]
    Totals,
    /// The share of right answers by data set: for the full test.
    Datasets,
}

/// The name of an item's type among the metrics, and the total that it belongs to.
const TYPES: [(&str, &str, &str); 10] = [
    (
        "Regular Text Recognition",
        "regular_text_recognition",
        "text_recognition",
    ),
    (
        "Irregular Text Recognition",
        "irregular_text_recognition",
        "text_recognition",
    ),
    (
        "Artistic Text Recognition",
        "artistic_text_recognition",
        "text_recognition",
    ),
    (
        "Handwriting Recognition",
        "handwriting_recognition",
        "text_recognition",
    ),
    (
        "Digit String Recognition",
        "digit_string_recognition",
        "text_recognition",
    ),
    (
        "Non-Semantic Text Recognition",
        "non_semantic_text_recognition",
        "text_recognition",
    ),
    ("Scene Text-centric VQA", "scene_vqa", "scene_vqa"),
    ("Doc-oriented VQA", "doc_vqa", "doc_vqa"),
    ("Key Information Extraction", "kie", "kie"),
    (
        "Handwritten Mathematical Expression Recognition",
        "hmer",
        "hmer",
    ),
];

/// Every item with its score. The score is 0 if it has none, and the mean if it was asked several times.
fn item_scores<'a>(board: &Board<'a>) -> impl Iterator<Item = (&'a Item, f64)> {
    let mut sums: HashMap<&str, (f64, f64)> = HashMap::new();
    for grade in board.grades {
        let (sum, count) = sums.entry(&grade.item).or_default();
        *sum += grade.score.unwrap_or(0.0);
        *count += 1.0;
    }
    board.items.iter().map(move |item| {
        let (sum, count) = sums.get(item.item.as_str()).copied().unwrap_or_default();
        (item, if count > 0.0 { sum / count } else { 0.0 })
    })
}

/// Right answers of each type and total, and of all.
pub(super) fn by_type(board: &Board<'_>) -> BTreeMap<String, f64> {
    let names = TYPES.iter().flat_map(|(_, name, total)| [*name, *total]);
    let names = names.chain(["final"]);
    let mut totals: BTreeMap<String, f64> = names.map(|name| (name.to_owned(), 0.0)).collect();
    for (item, score) in item_scores(board) {
        let Some((name, total)) = of_type(item) else {
            continue;
        };
        let part = (name != total).then_some(name);
        for name in part.into_iter().chain([total, "final"]) {
            *totals.entry(name.to_owned()).or_default() += score;
        }
    }
    totals
}

fn of_type(item: &Item) -> Option<(&'static str, &'static str)> {
    let kind = field(item, &["type"])?;
    let (_, name, total) = TYPES.iter().find(|(known, ..)| *known == kind)?;
    Some((name, total))
}

/// The share of right answers of each data set.
pub(super) fn by_dataset(board: &Board<'_>) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (item, score) in item_scores(board) {
        if let Some(dataset) = dataset(item) {
            let (sum, count) = sums.entry(dataset).or_default();
            *sum += score;
            *count += 1.0;
        }
    }
    let shares = sums.into_iter();
    shares
        .map(|(dataset, (sum, count))| (format!("accuracy {dataset}"), sum / count))
        .collect()
}

/// What a reader of the totals must know.
pub(super) fn notes(board: &Board<'_>, averaging: Averaging) -> Vec<String> {
    let mut notes = Vec::new();
    let missing = board
        .grades
        .iter()
        .filter(|grade| grade.score.is_none())
        .count();
    let numbers = match averaging {
        Averaging::Totals => "OCRBench's totals",
        Averaging::Datasets => "the accuracies of the data sets",
    };
    if missing > 0 {
        let all = board.grades.len();
        notes.push(format!(
            "{numbers} count outputs without a score as 0, as officially: {missing} of {all}"
        ));
    }
    if averaging == Averaging::Totals {
        let items = board.items.len();
        if items != ITEMS {
            notes.push(format!(
                "OCRBench's totals are out of {ITEMS} items; there were {items}"
            ));
        }
        let unknown = board.items.iter().filter(|item| of_type(item).is_none());
        let unknown = unknown.count();
        if unknown > 0 {
            notes.push(format!(
                "items of no type of OCRBench are not in its totals: {unknown} of {items}"
            ));
        }
    }
    notes
}
