//! The records of runs by item and repeat, and the items that runs were asked.

use super::data::Status;
use crate::record::{Evidence, Grade, Item, Output};
use crate::report::RunView;
use std::collections::{HashMap, HashSet};

/// An item and the runs that were asked it.
pub(super) struct Subject<'a> {
    /// The item.
    pub item: &'a Item,
    /// The runs, by index.
    pub runs: Vec<usize>,
}

/// The items in the order in which they first appear. The same id in another suite or version is another
/// item.
pub(super) fn subjects(runs: &[RunView]) -> Vec<Subject<'_>> {
    let mut places: HashMap<(&str, &str, &str), usize> = HashMap::new();
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        for item in run.items.iter() {
            let key = (
                run.suite.as_str(),
                run.suite_version.as_str(),
                item.item.as_str(),
            );
            let place = *places.entry(key).or_insert_with(|| {
                subjects.push(Subject {
                    item,
                    runs: Vec::new(),
                });
                subjects.len() - 1
            });
            subjects[place].runs.push(index);
        }
    }
    subjects
}

/// A run's records by item and repeat.
pub(super) struct Index<'a> {
    /// The last output of each item and repeat.
    pub outputs: HashMap<(&'a str, u32), &'a Output>,
    /// The grade of each item and repeat.
    pub grades: HashMap<(&'a str, u32), &'a Grade>,
    /// The last record of each observer.
    pub evidence: HashMap<(&'a str, u32), Vec<&'a Evidence>>,
    repeats: HashMap<&'a str, Vec<u32>>,
}

impl<'a> Index<'a> {
    /// The records of a run.
    pub(super) fn of_run(run: &'a RunView) -> Self {
        let outputs: HashMap<_, _> = run
            .outputs
            .iter()
            .map(|output| ((output.item.as_str(), output.repeat), output))
            .collect();
        let items: HashSet<&str> = run.items.iter().map(|item| item.item.as_str()).collect();
        let grades: HashMap<_, _> = run
            .grades
            .iter()
            .filter(|grade| items.contains(grade.item.as_str()))
            .map(|grade| ((grade.item.as_str(), grade.repeat), grade))
            .collect();
        let mut evidence: HashMap<_, Vec<&Evidence>> = HashMap::new();
        for record in &run.evidence {
            let records = evidence
                .entry((record.item.as_str(), record.repeat))
                .or_default();
            records.retain(|earlier| earlier.observer != record.observer);
            records.push(record);
        }
        let mut repeats: HashMap<&str, Vec<u32>> = HashMap::new();
        let keys: HashSet<_> = outputs.keys().chain(grades.keys()).copied().collect();
        for (item, repeat) in keys {
            repeats.entry(item).or_default().push(repeat);
        }
        repeats
            .values_mut()
            .for_each(|repeats| repeats.sort_unstable());
        Self {
            outputs,
            grades,
            evidence,
            repeats,
        }
    }

    /// The repeats of an item that have an output or a grade, in order.
    pub(super) fn repeats(&self, item: &str) -> &[u32] {
        self.repeats.get(item).map_or(&[], Vec::as_slice)
    }

    /// What became of an output; `full` is the score of a perfect one.
    pub(super) fn status(&self, key: (&str, u32), full: f64) -> Status {
        let broken = self
            .outputs
            .get(&key)
            .is_some_and(|output| output.error.is_some())
            || self
                .evidence
                .get(&key)
                .is_some_and(|records| records.iter().any(|record| record.error.is_some()));
        match self.grades.get(&key) {
            _ if broken => Status::Error,
            Some(grade) => match (grade.score, grade.correct) {
                (None, _) => Status::Unscored,
                (Some(_), Some(true)) => Status::Passed,
                (Some(_), Some(false)) => Status::Failed,
                (Some(score), None) if score >= full => Status::Passed,
                (Some(_), None) => Status::Failed,
            },
            None => Status::Unscored,
        }
    }
}
