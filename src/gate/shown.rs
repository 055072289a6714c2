//! The comparisons that explain a verdict.

use super::judge::Candidate;
use crate::compare::{Allowed, DifferenceOptions, PlacedComparison, compare};
use crate::config::PolicyFile;
use crate::record::Outcomes;
use crate::stats::power::Plan;

/// Compares each run with its baseline, which is one of `baselines`. Runs without a baseline, and runs that
/// share no scored item with it, are left out. Here everything may differ: the verdict says what should not
/// have been compared.
pub fn comparisons(
    policy: &PolicyFile,
    candidates: &[Candidate<'_>],
    baselines: &[Outcomes],
) -> Vec<PlacedComparison> {
    let options = DifferenceOptions {
        plan: Plan {
            level: policy.level,
            power: policy.power,
            one_sided: false,
        },
        resamples: policy.resamples,
        ..DifferenceOptions::default()
    };
    let comparison = |(index, candidate): (usize, &Candidate<'_>)| {
        let (before, after) = (candidate.baseline?, candidate.run);
        let found = compare(
            before,
            after,
            Allowed::EVERYTHING,
            &options,
            candidate.recount,
        );
        Some(PlacedComparison {
            before: baselines.iter().position(|own| std::ptr::eq(own, before)),
            after: index,
            comparison: found.ok()?,
        })
    };
    let candidates = candidates.iter().enumerate();
    candidates.filter_map(comparison).collect()
}
