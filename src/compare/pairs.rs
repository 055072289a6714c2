//! Many runs at once: which run is compared with which, and the pairs that are refused.

use super::{
    Allowed, Comparison, DifferenceOptions, NotComparable, Recount, compare, correct_overall,
};
use crate::record::Outcomes;
use miette::Diagnostic;
use serde::{Serialize, Serializer};

/// A comparison, with the places of its two runs in the list of the runs.
#[derive(Debug, Clone)]
pub struct PlacedComparison {
    /// The index of the earlier run. `None` if that run is in a baseline file.
    pub before: Option<usize>,
    /// The index of the later run.
    pub after: usize,
    /// The comparison.
    pub comparison: Comparison,
}

impl Serialize for PlacedComparison {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.comparison.serialize(serializer)
    }
}

/// Why two runs are not compared, and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Diagnostic)]
#[error("{before} and {after} are not compared: {reason}")]
pub struct RefusedPair {
    /// The model and the name of the earlier run.
    pub before: String,
    /// The model and the name of the later run.
    pub after: String,
    /// Why.
    pub reason: NotComparable,
    /// What to do.
    #[help]
    pub help: String,
}

impl RefusedPair {
    /// Names the runs and the options that would let them be compared.
    pub fn new(before: &Outcomes, after: &Outcomes, reason: NotComparable) -> Self {
        let name = |run: &Outcomes| format!("{} ({})", run.facts.model, run.facts.run);
        let options = reason.options();
        Self {
            before: name(before),
            after: name(after),
            help: if options.is_empty() {
                "compare runs that share scored items".to_owned()
            } else {
                format!("{} compares them and marks the result", options.join(" "))
            },
            reason,
        }
    }
}

/// A list of runs with their rules.
#[derive(Clone, Copy)]
pub struct RunList<'a> {
    /// The scores of the runs.
    pub runs: &'a [Outcomes],
    /// The rule of each run, for numbers that are not averages.
    pub rules: &'a [&'a dyn Recount],
    /// Pairs of places in the list whose runs answer different questions about the same items. They are never
    /// compared, whatever may differ.
    pub apart: &'a [[usize; 2]],
}

impl RunList<'_> {
    /// Compares each run with the first run of its suite. The p values of the overall numbers are corrected
    /// for each other. If a pair is refused, the others are compared all the same, and the first refusal is
    /// given back. If prompts may differ, all runs are taken for runs of one suite. Runs that are
    /// [apart](Self::apart) are no pair, so they give neither a comparison nor a refusal.
    pub fn compare_with_first(
        self,
        allowed: Allowed,
        options: &DifferenceOptions,
    ) -> (Vec<PlacedComparison>, Option<RefusedPair>) {
        let mut first_refused = None;
        let (mut places, mut comparisons) = (Vec::new(), Vec::new());
        for (before, after) in self.pairs(allowed.prompts) {
            let [earlier, later] = [&self.runs[before], &self.runs[after]];
            let rule = self.rules.get(after).copied();
            match compare(earlier, later, allowed, options, rule) {
                Ok(comparison) => {
                    comparisons.push(comparison);
                    places.push((before, after));
                }
                Err(reason) => {
                    first_refused.get_or_insert_with(|| RefusedPair::new(earlier, later, reason));
                }
            }
        }
        correct_overall(&mut comparisons);
        let placed = places.into_iter().zip(comparisons);
        let placed = placed.map(|((before, after), comparison)| PlacedComparison {
            before: Some(before),
            after,
            comparison,
        });
        (placed.collect(), first_refused)
    }

    /// Each run with the first run of its suite. If no suite has two runs and there are two runs in all, they
    /// are one pair.
    fn pairs(self, across_suites: bool) -> Vec<(usize, usize)> {
        let suite = |index: usize| &self.runs[index].facts.suite;
        let first = |index: usize| {
            let same = |other: &usize| across_suites || suite(*other) == suite(index);
            let mut earlier = (0..index).filter(same);
            earlier.find(|other| !self.are_apart(*other, index))
        };
        let of_suites: Vec<(usize, usize)> = (0..self.runs.len())
            .filter_map(|index| Some((first(index)?, index)))
            .collect();
        if of_suites.is_empty() && self.runs.len() == 2 && !self.are_apart(0, 1) {
            vec![(0, 1)]
        } else {
            of_suites
        }
    }

    /// Whether two places are among the pairs that are never compared.
    fn are_apart(self, one: usize, other: usize) -> bool {
        self.apart.contains(&[one, other]) || self.apart.contains(&[other, one])
    }
}
