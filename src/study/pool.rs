//! The runs of one level as one run: every item has its outputs of all runs. Each run has the place that the
//! study gives it. So the repeats of two levels with the same seeds have the same place, even if earlier runs
//! are missing.

use super::{LevelRun, LevelRuns, SuiteRuns};
use crate::compare::{Allowed, Kind, Pairing, Recount, mismatches};
use crate::record::{ItemOutcome, Outcomes, OutputOutcome};
use std::collections::HashMap;

/// The runs of a level that belong together.
pub(super) struct Pooled<'a> {
    /// The scores of all runs, item by item.
    pub outcomes: Outcomes,
    /// The runs that are pooled.
    pub runs: Vec<&'a LevelRun>,
    /// The rule of the run with the most items, since this rule knows all of the items.
    pub rule: &'a dyn Recount,
}

impl SuiteRuns {
    /// The largest number of outputs per item that a run was asked for.
    pub(super) fn repeats(&self) -> usize {
        let runs = self.levels.iter().flat_map(|level| &level.runs).flatten();
        let repeats = runs.map(|run| run.outcomes.facts.repeats);
        repeats.max().unwrap_or(0) as usize
    }
}

/// The pooled runs, and why other runs are missing: they do not exist, or differ from the first. Each run has
/// room for `repeats` outputs of an item.
pub(super) fn pool(
    level: &LevelRuns,
    repeats: usize,
    allowed: Allowed,
) -> (Option<Pooled<'_>>, Vec<String>) {
    let mut missing = Vec::new();
    let mut pooled: Option<Pooled<'_>> = None;
    for (place, run) in level.runs.iter().enumerate() {
        let run = match run {
            Ok(run) => run,
            Err(why) => {
                // A run that stands in several places is missing once.
                if !missing.contains(why) {
                    missing.push(why.clone());
                }
                continue;
            }
        };
        let pooled = pooled.get_or_insert_with(|| Pooled::empty(&level.title, run));
        match unlike(&pooled.outcomes, &run.outcomes, allowed) {
            Some(why) => missing.push(format!("{} is left out: {why}", run.dir.display())),
            None => pooled.add(run, place * repeats, level.runs.len() * repeats),
        }
    }
    if let Some(pooled) = &mut pooled {
        let most = pooled
            .runs
            .iter()
            .max_by_key(|run| run.outcomes.items.len());
        pooled.rule = most.map_or(pooled.rule, |run| run.rule.as_ref());
    }
    (pooled, missing)
}

/// Why two sets of outcomes should not be compared. Partial runs may be compared.
pub(super) fn unlike(one: &Outcomes, other: &Outcomes, allowed: Allowed) -> Option<String> {
    let found = mismatches(&Pairing::new(one, other, None));
    let refused = found
        .into_iter()
        .filter(|mismatch| mismatch.kind != Kind::Partial && !allowed.lets(mismatch.kind));
    let reasons: Vec<String> = refused
        .map(|mismatch| format!("{} ({} allows it)", mismatch.text, mismatch.kind.option()))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

impl<'a> Pooled<'a> {
    /// An empty pool for runs like this one.
    fn empty(title: &str, run: &'a LevelRun) -> Self {
        let mut facts = run.outcomes.facts.clone();
        facts.model_title = title.to_owned();
        facts.repeats = 0;
        (facts.expected, facts.scored, facts.failed, facts.unscored) = (0, 0, 0, 0);
        facts.value = None;
        Self {
            outcomes: Outcomes {
                facts,
                items: Vec::new(),
            },
            runs: Vec::new(),
            rule: run.rule.as_ref(),
        }
    }

    /// Puts the outputs of a run at their place among `all` places of an item. Places without an output have
    /// no score. A run may stand in several places, but its outputs are counted once.
    fn add(&mut self, run: &'a LevelRun, place: usize, all: usize) {
        if !self.runs.iter().any(|known| known.dir == run.dir) {
            self.count(run);
        }
        let items = &mut self.outcomes.items;
        let known = items.iter().enumerate();
        let known: HashMap<String, usize> =
            known.map(|(at, item)| (item.item.clone(), at)).collect();
        for item in &run.outcomes.items {
            let at = known.get(&item.item).copied().unwrap_or_else(|| {
                items.push(ItemOutcome {
                    outputs: vec![OutputOutcome::default(); all],
                    ..item.clone()
                });
                items.len() - 1
            });
            let places = items.get_mut(at).into_iter();
            let places = places.flat_map(|item| item.outputs.iter_mut().skip(place));
            for (place, output) in places.zip(&item.outputs) {
                *place = output.clone();
            }
        }
    }

    /// Counts a run and its outputs.
    fn count(&mut self, run: &'a LevelRun) {
        let (facts, own) = (&mut self.outcomes.facts, &run.outcomes.facts);
        facts.repeats += own.repeats;
        facts.expected += own.expected;
        facts.scored += own.scored;
        facts.failed += own.failed;
        facts.unscored += own.unscored;
        self.runs.push(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Overall, RunFacts, Tags};
    use crate::stats::formula::{Formula, Terms};
    use serde_json::Value;
    use std::collections::BTreeMap;

    struct Mean;

    impl Recount for Mean {
        fn formula(&self) -> Option<&dyn Formula> {
            None
        }

        fn terms(&self, _: &OutputOutcome) -> Option<Terms> {
            None
        }

        fn metrics(&self, _: &[&ItemOutcome]) -> BTreeMap<String, f64> {
            BTreeMap::new()
        }
    }

    fn run(dir: &str, score: f64) -> LevelRun {
        let facts = RunFacts {
            suite: "s".into(),
            suite_title: "S".into(),
            suite_version: "1".into(),
            model: "m".into(),
            model_title: "M".into(),
            run: "seed0".into(),
            repeats: 1,
            grading: Value::Null,
            observers: BTreeMap::new(),
            overall: Overall::Micro,
            group_by: Vec::new(),
            expected: 1,
            scored: 1,
            failed: 0,
            unscored: 0,
            value: Some(score),
            judges: Vec::new(),
        };
        let output = OutputOutcome {
            sums: Some((score, 1.0)),
            score: Some(score),
            ..OutputOutcome::default()
        };
        let item = ItemOutcome {
            item: "a".into(),
            asked: String::new(),
            tags: Tags::default(),
            outputs: vec![output],
        };
        LevelRun {
            dir: dir.into(),
            outcomes: Outcomes {
                facts,
                items: vec![item],
            },
            rule: Box::new(Mean),
            seconds: None,
        }
    }

    #[test]
    fn a_run_in_several_places_is_counted_once() {
        let absent = || Err("there is none".to_owned());
        let level = LevelRuns {
            title: "untrained".into(),
            runs: vec![Ok(run("a", 0.5)), Ok(run("a", 0.5)), absent(), absent()],
            cost: None,
        };
        let (pooled, missing) = pool(&level, 1, Allowed::default());
        let pooled = pooled.unwrap();
        assert_eq!((pooled.runs.len(), pooled.outcomes.facts.expected), (1, 1));
        let outputs = &pooled.outcomes.items[0].outputs;
        let scores: Vec<Option<f64>> = outputs.iter().map(|output| output.score).collect();
        assert_eq!(scores, [Some(0.5), Some(0.5), None, None]);
        assert_eq!(missing, ["there is none"]);
    }
}
