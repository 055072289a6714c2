//! Many runs of a suite: how its numbers went, where they changed, and what had changed there.
//!
//! | file | idea |
//! |---|---|
//! | [`read`] | a run folder as far as a history needs it: facts, and sums by item from `grades.parquet` |
//! | `standing` | which runs may be compared with each other |
//! | `detect` | steps between runs and change points of a stretch of comparable runs |
//! | `series` | one number of one model over its runs |
//! | [`text`] | for a terminal and in Markdown |
//! | [`long`] | one record a run, for programs |
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

/// What is asked of a history.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Names of models; empty for all.
    pub models: Vec<String>,
    /// The numbers, in the order in which they are shown.
    pub metrics: Vec<Metric>,
    /// Runs that started earlier are left out.
    pub since: Option<jiff::Timestamp>,
    /// Chance, in every series, that a change point is seen where nothing changed.
    pub level: f64,
}

/// The runs of a suite over time.
#[derive(Debug, Clone, Serialize)]
pub struct History {
    /// The name of the suite.
    pub suite: String,
    /// The title of the suite.
    pub title: String,
    /// The chance of a change point in a series that does not change.
    pub level: f64,
    /// By model, then by metric in the order wanted.
    pub series: Vec<Series>,
    /// Folders that hold no run that can be read.
    pub skipped: Vec<Skipped>,
}

/// One number of one model over its runs.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    /// The name of the model.
    pub model: String,
    /// The title of the model.
    pub model_title: String,
    /// Which number it is.
    pub metric: Metric,
    /// By the time at which the runs started.
    pub points: Vec<Point>,
    /// Where the number changed.
    pub changes: Vec<Change>,
    /// Standard error that the number of one run has beside others on the same items; None with too few runs.
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
    /// Items.
    pub n: usize,
    /// Why it is not compared with the run before.
    pub marks: Vec<String>,
    /// Which stretch between change points it belongs to. `None` if it takes part in no detection.
    pub segment: Option<usize>,
    /// From the latest earlier run that it can be compared with.
    pub step: Option<Step>,
    /// What the manifests of the model's last run and of this one differ in.
    pub changed: Vec<Changed>,
}

/// The paired difference of two runs.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The earlier run.
    pub from: String,
    /// This run minus the earlier one.
    pub difference: f64,
    /// 95 % interval by normal theory over items; None without spread.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
}

/// A place where a number changed.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// Place of the first run after it among the points.
    pub at: usize,
    /// The name of that run.
    pub run: String,
    /// The run before, the last of the earlier level.
    pub from: String,
    /// The mean of the runs before.
    pub before: f64,
    /// The mean of the runs after.
    pub after: f64,
    /// After minus before.
    pub difference: f64,
    /// The lower bound of the 95 % interval of the difference.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
    /// Of the paired permutation test of the items' means on both sides.
    pub p: f64,
    /// How many runs are before it.
    pub runs_before: usize,
    /// How many runs are after it.
    pub runs_after: usize,
    /// What the manifests of the runs on both sides differ in.
    pub changed: Vec<Changed>,
}

/// A folder that was left out.
#[derive(Debug, Clone, Serialize)]
pub struct Skipped {
    /// The folder.
    pub path: PathBuf,
    /// Why.
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

/// Whether a folder without a manifest lies under a model that was not asked for.
fn wanted_elsewhere(path: &Path, wanted: &Wanted) -> bool {
    let model = path
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    !wanted.models.is_empty() && model.is_none_or(|model| !wanted.models.iter().any(|m| m == model))
}
