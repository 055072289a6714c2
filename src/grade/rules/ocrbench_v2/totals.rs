//! Means over tasks and capabilities (`eval.py` and `get_score.py`).

use super::tasks::{TASKS, Task};
use super::text4::meteor_note;
use crate::grade::rule::{Board, Rule};
use crate::text::wordnet::WordNet;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The sum and the count of a mean.
#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn value(&self) -> f64 {
        self.sum / self.count
    }
}

/// The official aggregation. The mean of a task counts ignored items as 0, and that of a capability leaves
/// them out. The overall value of a language is the plain mean of its capabilities that have items.
pub(super) fn metrics(rule: &dyn Rule, board: &Board<'_>) -> BTreeMap<String, f64> {
    let mut tasks: BTreeMap<&str, Mean> = BTreeMap::new();
    let mut capabilities: BTreeMap<&str, Mean> = BTreeMap::new();
    let known: HashMap<&str, &Task> = (board.items.iter())
        .filter_map(|item| Some((item.item.as_str(), Task::of_item(item)?)))
        .collect();
    for grade in board.grades {
        let (Some(score), Some(task)) = (grade.score, known.get(grade.item.as_str())) else {
            continue;
        };
        tasks.entry(task.name).or_default().add(score);
        if rule.fraction(grade).is_some() {
            capabilities.entry(task.capability).or_default().add(score);
        }
    }
    let mut languages: BTreeMap<String, Mean> = BTreeMap::new();
    for (capability, mean) in &capabilities {
        let language = capability.split(' ').next().unwrap_or_default();
        let overall = languages.entry(format!("{language} overall")).or_default();
        overall.add(mean.value());
    }
    let named = tasks.into_iter().chain(capabilities);
    named
        .map(|(name, mean)| (name.to_owned(), mean))
        .chain(languages)
        .map(|(name, mean)| (name, mean.value()))
        .collect()
}

/// What a reader must know of the numbers.
pub(super) fn notes(board: &Board<'_>, synonyms: Option<&WordNet>) -> Vec<String> {
    let tasks: Vec<&Task> = board.items.iter().filter_map(Task::of_item).collect();
    let languages: BTreeSet<&str> = tasks.iter().map(|task| task.language()).collect();
    let asked: BTreeSet<&str> = tasks.iter().map(|task| task.name).collect();
    let mut notes = vec![meteor_note(synonyms)];
    if languages.len() > 1 {
        notes.push(
            "OCRBench v2 gives English and Chinese values only; they are the metrics `en overall` and `cn overall`, \
             and the overall value here is the mean over the capabilities of both"
                .into(),
        );
    }
    let missing = TASKS
        .iter()
        .filter(|task| languages.contains(task.language()) && !asked.contains(task.name));
    let missing: Vec<&str> = missing.map(|task| task.name).collect();
    if !missing.is_empty() {
        notes.push(format!("no item of {}", missing.join(", ")));
    }
    notes
}
