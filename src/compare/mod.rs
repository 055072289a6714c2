//! Whether a difference is real: two graded runs, item by item. This room reads outcomes only, and computes
//! no score.
//!
//! | file | idea |
//! |---|---|
//! | `pairing` | the items that both runs have, and their sums |
//! | `pairs` | many runs: which is compared with which |
//! | `difference` | one number of two runs: difference, interval, test, effect, power |
//! | `compute` | how a number is computed, by its kind |
//! | `averages` | the difference of averages and of formulas of sums |
//! | `further` | the difference of numbers that a rule makes anew |
//! | `recount` | what is asked of the rule of a run |
//! | `mismatch` | why two runs should not be compared |
//! | `numbers` | how numbers are printed |
//! | `shares` | groups that mix differently, Simpson's paradox |
//! | `changes` | the items that changed most |
//! | [`printed`] | the comparison as a grid and as records |
//! | [`page`] | the comparison as a page with both pictures |

mod averages;
mod changes;
mod compute;
mod difference;
mod further;
mod mismatch;
mod numbers;
pub mod page;
mod pairing;
mod pairs;
pub mod printed;
mod recount;
mod shares;

pub use changes::Change;
pub use difference::{Difference, DifferenceOptions, IntervalKind, NoDifference, SEED, Test};
pub use further::Further;
pub use mismatch::{Allowed, Kind, Mismatch, mismatches};
pub use numbers::{Numbers, counts, or_dash, p};
pub use pairing::{Paired, Pairing, standard_error};
pub use pairs::{PlacedComparison, RefusedPair, RunList};
pub use recount::Recount;

use crate::config::Metric;
use crate::record::{Outcomes, RunFacts};
use crate::stats::holm;
use serde::Serialize;

/// Two runs side by side.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The earlier run.
    pub before: RunFacts,
    /// The later run.
    pub after: RunFacts,
    /// What differs apart from the model, and was allowed.
    pub allowed: Vec<Mismatch>,
    /// The overall number.
    pub overall: Difference,
    /// The share of right outputs. `None` if the overall number is the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct: Option<Difference>,
    /// The groups, by tag in the order of the suite. Their p values have Holm's correction.
    pub groups: Vec<Difference>,
    /// The items that changed. The largest changes come first.
    pub changes: Vec<Change>,
    /// What a reader of the numbers must know.
    pub remarks: Vec<String>,
}

/// Why there is no comparison.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotComparable {
    /// The runs differ in more than the model.
    #[error("{}", list_mismatches(.0))]
    Mismatches(Vec<Mismatch>),
    /// The number cannot be compared.
    #[error(transparent)]
    NoDifference(#[from] NoDifference),
}

impl NotComparable {
    /// Whether only missing items or outputs are the reason.
    pub fn only_partial(&self) -> bool {
        matches!(self, Self::Mismatches(found) if found.iter().all(|m| m.kind == Kind::Partial))
    }

    /// The options of the command line that would allow the comparison.
    pub fn options(&self) -> Vec<&'static str> {
        let Self::Mismatches(found) = self else {
            return Vec::new();
        };
        let mut options: Vec<&str> = found.iter().map(|m| m.kind.option()).collect();
        options.sort_unstable();
        options.dedup();
        options
    }
}

fn list_mismatches(found: &[Mismatch]) -> String {
    let texts: Vec<&str> = found.iter().map(|m| m.text.as_str()).collect();
    texts.join("; ")
}

/// Compares a later run with an earlier one. `recount` is the rule of the later run, for numbers that are not
/// averages.
///
/// # Errors
/// Fails if the runs differ in more than the model and that is not allowed, or share no scored item.
pub fn compare(
    before: &Outcomes,
    after: &Outcomes,
    allowed: Allowed,
    options: &DifferenceOptions,
    recount: Option<&dyn Recount>,
) -> Result<Comparison, NotComparable> {
    let pairing = Pairing::new(before, after, recount);
    let found = mismatches(&pairing);
    let (passed, refused): (Vec<Mismatch>, Vec<Mismatch>) =
        found.into_iter().partition(|m| allowed.lets(m.kind));
    if !refused.is_empty() {
        return Err(NotComparable::Mismatches(refused));
    }
    let overall = Difference::compute(&pairing, &Metric::Overall, options)?;
    let correct = Difference::compute(&pairing, &Metric::Correct, options)
        .ok()
        .filter(|c| (c.before, c.after) != (overall.before, overall.after));
    let groups = groups(&pairing, options);
    let official = after.facts.value.zip(before.facts.value);
    let official = official.map(|(after, before)| after - before);
    Ok(Comparison {
        remarks: shares::remarks(before, after, official, &groups),
        changes: changes::changes(&pairing),
        before: before.facts.clone(),
        after: after.facts.clone(),
        allowed: passed,
        overall,
        correct,
        groups,
    })
}

/// The groups of all tags, with Holm's correction over all of them.
fn groups(pairing: &Pairing<'_>, options: &DifferenceOptions) -> Vec<Difference> {
    let mut groups = Vec::new();
    for by in &pairing.before.group_by {
        for key in pairing.keys(by) {
            let metric = Metric::Group {
                by: by.clone(),
                key: key.to_owned(),
            };
            groups.extend(Difference::compute(pairing, &metric, options));
        }
    }
    let p: Vec<f64> = groups.iter().map(|group| group.p).collect();
    for (group, p) in groups.iter_mut().zip(holm::adjust(&p)) {
        group.p_holm = Some(p);
    }
    groups
}

/// Applies Holm's correction to the p values of the overall numbers of several comparisons.
pub fn correct_overall(comparisons: &mut [Comparison]) {
    let p: Vec<f64> = comparisons.iter().map(|c| c.overall.p).collect();
    if p.len() > 1 {
        for (comparison, p) in comparisons.iter_mut().zip(holm::adjust(&p)) {
            comparison.overall.p_holm = Some(p);
        }
    }
}
