//! What is asked of the rule of a run, for numbers that are not averages of the scores of outputs.

use crate::record::{ItemOutcome, OutputOutcome};
use crate::stats::formula::{Formula, Terms};
use std::collections::BTreeMap;

/// How a rule makes such numbers.
pub trait Recount: Sync {
    /// The formula behind the overall number and those of groups, where these are not averages.
    fn formula(&self) -> Option<&dyn Formula>;

    /// What an output adds to the sums of the formula.
    fn terms(&self, output: &OutputOutcome) -> Option<Terms>;

    /// The further official numbers of these items; what others are is left out as if it had no score.
    fn metrics(&self, items: &[&ItemOutcome]) -> BTreeMap<String, f64>;
}
