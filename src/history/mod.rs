//! Many runs of a suite: how its numbers develop, where they change, and what else changed there.
//!
//! | file | idea |
//! |---|---|
//! | [`read`] | the parts of a run folder that a history needs: facts, and sums by item from `grades.parquet` |
//! | `standing` | which runs may be compared with each other |
//! | `detect` | steps between runs and change points of a stretch of comparable runs |
//! | `series` | one number of one model over its runs |
//! | [`text`] | for a terminal and in Markdown |
//! | [`long`] | one record for each run, for programs |
//! | [`page`] | the page with its charts |

mod detect;
pub mod long;
pub mod page;
pub mod read;
mod series;
mod standing;
pub mod text;

use crate::config::Metric;
use crate::run::{Changed, RunFolder, run_folders};
use rayon::prelude::*;
use read::{Reader, Run};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What a history shows.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The names of the models. Empty for all models.
    pub models: Vec<String>,
    /// The numbers, in the order in which they are shown.
    pub metrics: Vec<Metric>,
    /// Runs that started earlier are left out.
    pub since: Option<jiff::Timestamp>,
    /// The probability of finding a change point in a series without a change.
    pub level: f64,
}

/// The runs of a suite over time.
#[derive(Debug, Clone, Serialize)]
pub struct History {
    /// The name of the suite.
    pub suite: String,
    /// The title of the suite.
    pub title: String,
    /// The probability of finding a change point in a series without a change.
    pub level: f64,
    /// The series by model, and then by metric in the wanted order.
    pub series: Vec<Series>,
    /// The folders that have no readable run.
    pub skipped: Vec<Skipped>,
}

/// One number of one model over its runs.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    /// The name of the model.
    pub model: String,
    /// The title of the model.
    pub model_title: String,
    /// The metric.
    pub metric: Metric,
    /// The runs, by the time at which they started.
    pub points: Vec<Point>,
    /// The change points.
    pub changes: Vec<Change>,
    /// The standard error of the number of one run beside other runs on the same items. `None` for too few
    /// runs.
    pub noise: Option<f64>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// One run.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    /// The name of the run.
    pub run: String,
    /// When it started.
    pub started: jiff::Timestamp,
    /// The version and the commit of the program.
    pub program: String,
    /// The number. `None` if the run has none.
    pub value: Option<f64>,
    /// The lower bound of the 95 % interval.
    pub low: Option<f64>,
    /// The upper bound of the 95 % interval.
    pub high: Option<f64>,
    /// The number of items.
    pub n: usize,
    /// Why it is not compared with the run before.
    pub marks: Vec<String>,
    /// The index of the segment between change points. `None` if the run takes no part in the detection.
    pub segment: Option<usize>,
    /// The step from the latest earlier run that it can be compared with.
    pub step: Option<Step>,
    /// The differences between the manifest of the model's run before and that of this run.
    pub changed: Vec<Changed>,
}

/// The paired difference of two runs.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The earlier run.
    pub from: String,
    /// This run minus the earlier one.
    pub difference: f64,
    /// The lower bound of the 95 % interval by normal theory over items. `None` if all items are equal.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
}

/// A place where a number changed.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// The index of the first run after the change.
    pub at: usize,
    /// The name of that run.
    pub run: String,
    /// The run before, the last of the earlier level.
    pub from: String,
    /// The mean of the runs before.
    pub before: f64,
    /// The mean of the runs after.
    pub after: f64,
    /// The later mean minus the earlier one.
    pub difference: f64,
    /// The lower bound of the 95 % interval of the difference.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
    /// p of the paired permutation test of the items' means on both sides.
    pub p: f64,
    /// How many runs are before it.
    pub runs_before: usize,
    /// How many runs are after it.
    pub runs_after: usize,
    /// The differences between the manifests of the runs on both sides.
    pub changed: Vec<Changed>,
}

/// A folder that was left out.
#[derive(Debug, Clone, Serialize)]
pub struct Skipped {
    /// The folder.
    pub path: PathBuf,
    /// Why it was left out.
    pub reason: String,
}

/// The history of the suite whose runs are in a folder. `None` if there is no run.
pub fn of_suite(folder: &Path, wanted: &Wanted) -> Option<History> {
    let reader = Reader::new(&wanted.metrics);
    let found: Vec<(PathBuf, Result<Run, String>)> = run_folders(folder)
        .into_par_iter()
        .filter(|path| RunFolder::at(path).manifest().exists() || !wanted_elsewhere(path, wanted))
        .map(|path| (path.clone(), reader.read(&path, folder)))
        .collect();
    let mut runs = Vec::new();
    let mut skipped = Vec::new();
    for (path, read) in found {
        match read {
            Ok(run) => runs.push(run),
            Err(reason) => skipped.push(Skipped { path, reason }),
        }
    }
    let first = runs.first()?;
    let (suite, title) = (first.suite.clone(), first.suite_title.clone());
    let kept = |run: &Run| {
        (wanted.models.is_empty() || wanted.models.contains(&run.model))
            && wanted
                .since
                .is_none_or(|since| run.manifest.started >= since)
    };
    runs.retain(kept);
    runs.sort_by(|a, b| {
        let key = |run: &Run| (run.model.clone(), run.manifest.started);
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    let models = runs.chunk_by(|a, b| a.model == b.model);
    let series = models.flat_map(|runs| series::of_model(runs, wanted));
    Some(History {
        suite,
        title,
        level: wanted.level,
        series: series.collect(),
        skipped,
    })
}

/// Whether a folder without a manifest is below a model that is not shown.
fn wanted_elsewhere(path: &Path, wanted: &Wanted) -> bool {
    let model = path
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    !wanted.models.is_empty() && model.is_none_or(|model| !wanted.models.iter().any(|m| m == model))
}
