//! What is asked of the rule of a run, for numbers that are not averages of the scores of outputs.

use crate::record::{ItemOutcome, OutputOutcome};
use crate::stats::formula::{Formula, Terms};
use std::collections::BTreeMap;

/// A rule that makes the numbers of a run from outcomes.
pub trait Recount: Sync {
    /// The formula of the overall number and of the groups. `None` if these are averages.
    fn formula(&self) -> Option<&dyn Formula>;

    /// What an output adds to the sums of the formula.
    fn terms(&self, output: &OutputOutcome) -> Option<Terms>;

    /// The further official numbers of these items. Other items count as items without a score.
    fn metrics(&self, items: &[&ItemOutcome]) -> BTreeMap<String, f64>;
}
