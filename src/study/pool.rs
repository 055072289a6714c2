//! The runs of one level as one: every item with its outputs of all runs, in the order of the runs, so that repeats of
//! two levels with the same seeds stand at the same place.

use super::LevelRun;
use crate::compare::{Allowed, Kind, Pairing, mismatches};
use crate::record::{ItemOutcome, Outcomes};
use std::collections::HashMap;

/// The pooled outcomes, and why some runs were left out.
pub fn pool(title: &str, runs: &[LevelRun], allowed: Allowed) -> (Option<Outcomes>, Vec<String>) {
    let mut notes = Vec::new();
    let mut pooled: Option<Outcomes> = None;
    for run in runs {
        let Some(whole) = &mut pooled else {
            let mut first = run.outcomes.clone();
            first.facts.model_title = title.to_owned();
            pooled = Some(first);
            continue;
        };
        match unlike(whole, &run.outcomes, allowed) {
            Some(why) => notes.push(format!("{} is left out: {why}.", run.dir.display())),
            None => add(whole, &run.outcomes),
        }
    }
    if let Some(whole) = &mut pooled {
        whole.facts.value = None;
    }
    (pooled, notes)
}

/// Why two sets of outcomes should not stand beside each other; partial runs may.
pub fn unlike(one: &Outcomes, other: &Outcomes, allowed: Allowed) -> Option<String> {
    let found = mismatches(&Pairing::of(one, other, None));
    let refused = found
        .into_iter()
        .filter(|mismatch| mismatch.kind != Kind::Partial && !allowed.lets(mismatch.kind));
    let told: Vec<String> = refused
        .map(|mismatch| {
            format!(
                "{} ({} lets it pass)",
                mismatch.text,
                mismatch.kind.option()
            )
        })
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn add(whole: &mut Outcomes, run: &Outcomes) {
    let facts = &mut whole.facts;
    facts.repeats += run.facts.repeats;
    facts.expected += run.facts.expected;
    facts.scored += run.facts.scored;
    facts.failed += run.facts.failed;
    facts.unscored += run.facts.unscored;
    let places: HashMap<String, usize> = whole
        .items
        .iter()
        .enumerate()
        .map(|(at, item)| (item.item.clone(), at))
        .collect();
    for item in &run.items {
        match places
            .get(&item.item)
            .and_then(|at| whole.items.get_mut(*at))
        {
            Some(known) => known.outputs.extend(item.outputs.iter().cloned()),
            None => whole.items.push(ItemOutcome::clone(item)),
        }
    }
}
