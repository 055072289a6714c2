//! An ablation study as one page: the levels of a factor, each pooled over its runs, next to a control.
//!
//! | file | idea |
//! |---|---|
//! | `models` | the models of a study as they are run |
//! | `pool` | the runs of a level as one set of outcomes, repeats of an item together |
//! | `estimate` | one number of a level, with its interval |
//! | `section` | the numbers of one suite: values, differences, groups |
//! | `corrected` | verdicts on printed numbers, corrected for their number |
//! | [`curves`] | series over steps, read from logs |
//! | `charts` | which charts a study has |
//! | `charted` | the levels as charts take them |
//! | `tables` | tables with the best and the second value |
//! | `long` | the same numbers, unrounded, as records |
//! | `page` | the HTML page |
//! | [`write()`] | everything written into one folder |

mod charted;
mod charts;
mod corrected;
pub mod curves;
mod estimate;
mod long;
mod models;
mod page;
mod pool;
mod section;
mod tables;
mod write;

pub use corrected::correct;
pub use curves::Series;
pub use models::{Part, StudyModel};
pub use section::{GroupCell, Grouped, LevelRow, Section};
pub use write::{Written, write};

use crate::compare::{Allowed, DifferenceOptions, Recount};
use crate::config::Metric;
use crate::record::Outcomes;
use crate::report::chart::Width;
use std::path::PathBuf;

/// A graded run of a level.
pub struct LevelRun {
    /// The run folder.
    pub dir: PathBuf,
    /// Its scores, item by item.
    pub outcomes: Outcomes,
    /// The rule that graded it, for numbers that are not averages.
    pub rule: Box<dyn Recount>,
    /// Mean seconds for making an output, if they were recorded.
    pub seconds: Option<f64>,
}

/// A level on one suite.
#[derive(Default)]
pub struct LevelRuns {
    /// The title of the level.
    pub title: String,
    /// The runs that the study names, in its order, or why one is missing. Runs of two levels at the same
    /// index share their seed.
    pub runs: Vec<Result<LevelRun, String>>,
    /// The cost that the study states.
    pub cost: Option<f64>,
}

/// The levels on one suite, in the order of the study.
pub struct SuiteRuns {
    /// The suite's name.
    pub suite: String,
    /// In the study's order.
    pub levels: Vec<LevelRuns>,
}

/// How the numbers of a study are computed.
#[derive(Debug, Clone)]
pub struct StudySettings {
    /// The number by which levels are compared.
    pub primary: Metric,
    /// The index of the control among the levels.
    pub control: usize,
    /// Whether the cost is the measured seconds.
    pub measured_cost: bool,
    /// What may differ between runs apart from the model.
    pub allowed: Allowed,
    /// How differences are computed.
    pub options: DifferenceOptions,
}

/// A whole study.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Study {
    /// The name of the study.
    pub name: String,
    /// The title of the study.
    pub title: String,
    /// What it is about. Empty if its file does not say.
    pub description: String,
    /// The factor that is varied.
    pub factor: String,
    /// What the cost means, if there is one.
    pub cost: Option<String>,
    /// One for each suite with a run.
    pub sections: Vec<Section>,
    /// The curves.
    #[serde(skip)]
    pub series: Vec<Series>,
    /// What a reader of the whole page must know.
    pub notes: Vec<String>,
    /// How wide charts are printed.
    #[serde(skip)]
    pub width: Width,
}

impl Study {
    /// Whether runs, outputs or whole logs are missing.
    pub fn incomplete(&self) -> bool {
        self.series.iter().any(|series| series.unread > 0)
            || self.sections.iter().any(Section::incomplete)
    }
}
