//! The parts of a run folder that a history needs.

use crate::config::Metric;
use crate::grade::{self, Pooled, Rule};
use crate::record::{Grade, Item, Summary};
use crate::run::{Manifest, RunError, RunFolder, read_all, read_grades, read_json};
use crate::stats::cluster::Cluster;
use crate::stats::formula::Terms;
use serde_json::Value;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// One graded run.
pub struct Run {
    /// The name of the suite.
    pub suite: String,
    /// The title of the suite.
    pub suite_title: String,
    /// The model's name.
    pub model: String,
    /// Its title.
    pub model_title: String,
    /// The name of the run.
    pub name: String,
    /// The manifest, which says how the run was made.
    pub manifest: Manifest,
    /// The numbers of the run.
    pub summary: Summary,
    /// The rule and the options that graded it, as JSON.
    pub grading: Value,
    /// The rule that graded it.
    pub rule: Box<dyn Rule>,
    /// The items of the run.
    pub asked: Arc<Asked>,
    /// The sums by item, one column for each wanted metric.
    pub columns: Vec<Column>,
}

/// The items of a run. Runs with the same items share them.
pub struct Asked {
    /// The items, in the order of the suite.
    pub items: Vec<Item>,
    places: HashMap<String, usize>,
    /// The checksum of the prompts and inputs. The other keys of the items do not count.
    pub hash: u64,
}

/// The sums that the outputs of each item add to a metric.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// The sums, in the order of the items.
    pub clusters: Vec<Cluster>,
    /// Which items have a score.
    pub scored: Vec<bool>,
    /// The sums of a metric that is a formula of sums. Empty for other metrics.
    pub terms: Vec<Terms>,
}

/// Reads runs. Items that several runs share are read once.
pub struct Reader<'a> {
    metrics: &'a [Metric],
    asked: Mutex<HashMap<(usize, u64), Arc<Asked>>>,
}

impl<'a> Reader<'a> {
    /// A reader of runs for these numbers.
    pub fn new(metrics: &'a [Metric]) -> Self {
        Self {
            metrics,
            asked: Mutex::default(),
        }
    }

    /// # Errors
    /// Fails with a sentence if the folder is not a graded run of the suite `of`, or if a file is damaged.
    pub fn read(&self, path: &Path, of: &Path) -> Result<Run, String> {
        let within = |error: RunError| match error {
            RunError::NotARun { reason, .. } => format!("not a run: {reason}"),
            RunError::Line { path, reason, .. } => {
                let name = path.file_name().unwrap_or_default();
                format!("{} is damaged: {reason}", name.display())
            }
            error => error.to_string(),
        };
        let folder = RunFolder::existing(path).map_err(within)?;
        let manifest = Manifest::read(&folder).map_err(within)?;
        let suite = manifest.suite.name().to_owned();
        if of.file_name().and_then(|name| name.to_str()) != Some(&suite) {
            return Err(format!("it is a run of {suite}"));
        }
        if !folder.summary().is_file() {
            return Err("it is not graded yet".to_owned());
        }
        let summary: Summary = read_json(&folder.summary()).map_err(within)?;
        let grading = manifest.grading(&summary);
        let rule = grade::build_from_note(&grading).map_err(|error| error.to_string())?;
        let asked = self.read_asked(&folder.items())?;
        let columns = self.columns(&folder, rule.as_ref(), &asked)?;
        Ok(Run {
            suite,
            suite_title: manifest.suite.title().to_owned(),
            model: manifest.model.name().to_owned(),
            model_title: manifest.model.title().to_owned(),
            name: manifest.run.clone(),
            manifest,
            summary,
            grading,
            rule,
            asked,
            columns,
        })
    }

    /// Reads the items of a file. Files with the same content are parsed once.
    fn read_asked(&self, path: &Path) -> Result<Arc<Asked>, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("items.jsonl: {error}"))?;
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        let key = (bytes.len(), hasher.finish());
        let known = || {
            self.asked
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        };
        if let Some(asked) = known().get(&key) {
            return Ok(asked.clone());
        }
        let items: Vec<Item> = read_all(path).map_err(|error| error.to_string())?;
        let asked = Arc::new(Asked::new(items));
        known().insert(key, asked.clone());
        Ok(asked)
    }

    fn columns(
        &self,
        folder: &RunFolder,
        rule: &dyn Rule,
        asked: &Asked,
    ) -> Result<Vec<Column>, String> {
        let mut columns: Vec<Column> = self
            .metrics
            .iter()
            .map(|metric| Column::empty(pooled(rule, metric).is_some(), asked.items.len()))
            .collect();
        let mut last = 0;
        let mut see = |grade: &Grade| {
            let Some(at) = asked.find(&grade.item, last) else {
                return;
            };
            last = at;
            for (metric, column) in self.metrics.iter().zip(&mut columns) {
                column.add(at, rule, metric, grade);
            }
        };
        let parquet = folder.grades_parquet();
        if parquet.exists() {
            read_grades(&parquet, &mut see)
                .map_err(|why| format!("grades.parquet cannot be read: {why}"))?
        } else {
            let grades: Vec<Grade> =
                read_all(&folder.grades()).map_err(|error| error.to_string())?;
            grades.iter().for_each(&mut see);
        }
        Ok(columns)
    }
}

impl Asked {
    fn new(items: Vec<Item>) -> Self {
        let mut hasher = DefaultHasher::new();
        for item in &items {
            item.item.hash(&mut hasher);
            grade::asked_hash(item).hash(&mut hasher);
        }
        let places = items.iter().enumerate();
        let places = places.map(|(at, item)| (item.item.clone(), at));
        Self {
            places: places.collect(),
            hash: hasher.finish(),
            items,
        }
    }

    /// The index of an item. Grades are usually in the order of the items, and `last` is the index of the
    /// item before.
    fn find(&self, name: &str, last: usize) -> Option<usize> {
        let is = |at: &usize| self.items.get(*at).is_some_and(|item| item.item == name);
        let near = [last, last + 1].into_iter().find(is);
        near.or_else(|| self.places.get(name).copied())
    }
}

impl Column {
    fn empty(pooled: bool, items: usize) -> Self {
        Self {
            clusters: vec![Cluster::default(); items],
            scored: vec![false; items],
            terms: vec![Terms::default(); if pooled { items } else { 0 }],
        }
    }

    fn add(&mut self, at: usize, rule: &dyn Rule, metric: &Metric, grade: &Grade) {
        let Some((numerator, denominator)) = rule.fraction(grade) else {
            return;
        };
        let (numerator, denominator) = match metric {
            Metric::Overall | Metric::Group { .. } | Metric::Groups(_) => (numerator, denominator),
            Metric::Correct => match grade.correct {
                Some(correct) => (f64::from(u8::from(correct)), 1.0),
                None => return,
            },
            Metric::Part(name) => match grade.parts.get(name) {
                Some(part) => (*part, 1.0),
                None => return,
            },
            Metric::Named(_) => return,
        };
        if let Some(scored) = self.scored.get_mut(at) {
            *scored = true;
        }
        if let Some(cluster) = self.clusters.get_mut(at) {
            cluster.numerator += numerator;
            cluster.denominator += denominator;
        }
        let terms = pooled(rule, metric).and_then(|pooled| pooled.terms(grade));
        if let (Some(sums), Some(terms)) = (self.terms.get_mut(at), terms) {
            for (sum, term) in sums.iter_mut().zip(terms) {
                *sum += term;
            }
        }
    }
}

/// The formula of a metric. `None` if the metric is an average.
pub fn pooled<'r>(rule: &'r dyn Rule, metric: &Metric) -> Option<&'r dyn Pooled> {
    match metric {
        Metric::Overall | Metric::Group { .. } | Metric::Groups(_) => rule.pooled(),
        _ => None,
    }
}
