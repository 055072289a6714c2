//! Graded runs beside each other, and the page of their comparisons.

use super::probe::noise_counterparts;
use super::{RecountedRun, SessionError, read_outcomes, read_view};
use crate::compare::page::{self, Heading, Sheet};
use crate::compare::{
    Allowed, Comparison, DifferenceOptions, PlacedComparison, Recount, RefusedPair, RunList,
};
use crate::record::Outcomes;
use crate::report::RunView;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The scores of graded runs with the rules that make them again.
pub struct ComparedRuns {
    /// The scores, in the order of the folders.
    pub runs: Vec<Outcomes>,
    /// The rules, in the same order.
    pub rules: Vec<RecountedRun>,
    /// The places of each restorer and each reader of one ladder of noise. They are never compared item by
    /// item: [`note_noise_pairs`](super::note_noise_pairs) says what they share.
    pub counterparts: Vec<[usize; 2]>,
}

impl ComparedRuns {
    /// Reads the scores and the rules of graded run folders.
    ///
    /// # Errors
    /// Fails when [`read_outcomes`] fails for one of them, or a run's items are damaged.
    pub fn read(folders: &[PathBuf]) -> Result<Self, SessionError> {
        let runs = folders.iter().map(|folder| read_outcomes(folder));
        let rules = folders.iter().map(|folder| RecountedRun::open(folder));
        Ok(Self {
            runs: runs.collect::<Result<_, _>>()?,
            rules: rules.collect::<Result<_, _>>()?,
            counterparts: noise_counterparts(folders)?,
        })
    }

    /// Compares each run with the first run of its suite, as [`RunList::compare_with_first`].
    pub fn compare_with_first(
        &self,
        allowed: Allowed,
        options: &DifferenceOptions,
    ) -> (Vec<PlacedComparison>, Option<RefusedPair>) {
        let rules = self.rules.iter().map(|rule| rule as &dyn Recount);
        let rules: Vec<&dyn Recount> = rules.collect();
        let list = RunList {
            runs: &self.runs,
            rules: &rules,
            apart: &self.counterparts,
        };
        list.compare_with_first(allowed, options)
    }
}

/// A comparison with the folders of its two runs.
#[derive(Clone, Copy)]
pub struct ComparedFolders<'a> {
    /// The comparison.
    pub comparison: &'a Comparison,
    /// The earlier run. `None` if that run is in a baseline file, which keeps no outputs.
    pub before: Option<&'a Path>,
    /// The later run.
    pub after: &'a Path,
}

/// Writes the page of comparisons into `dir`, and gives its path back. `power` is the power that sizes are
/// given for.
///
/// # Errors
/// Fails if a run cannot be read, or the page cannot be written.
pub fn write_comparison(
    dir: &Path,
    heading: &Heading<'_>,
    compared: &[ComparedFolders<'_>],
    power: f64,
) -> Result<PathBuf, SessionError> {
    let mut views: HashMap<&Path, RunView> = HashMap::new();
    for folder in compared
        .iter()
        .flat_map(|both| both.before.into_iter().chain([both.after]))
    {
        if !views.contains_key(folder) {
            views.insert(folder, read_view(folder)?);
        }
    }
    let sheets: Vec<Sheet<'_>> = compared
        .iter()
        .map(|both| Sheet {
            comparison: both.comparison,
            before: both.before.and_then(|folder| views.get(folder)),
            after: views.get(both.after),
        })
        .collect();
    Ok(page::write(dir, heading, &sheets, power)?)
}
