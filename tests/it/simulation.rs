//! How often intervals and gates are right, on made data whose truth is known.
//!
//! `UNIGAUGE_SIMULATIONS=20 cargo test --test it simulation -- --nocapture` makes twenty times as many
//! studies and prints the shares; docs/method/statistics.md quotes such a run.

use rayon::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use unigauge::compare::Allowed;
use unigauge::config::{Correction, Metric, PartialRuns, PolicyFile, PolicyRule, TestChoice, Tier};
use unigauge::gate::{Candidate, Status, Verdict, judge};
use unigauge::record::{ItemOutcome, Outcomes, OutputOutcome, Overall, RunFacts, Tags};
use unigauge::stats::bootstrap::Bootstrap;
use unigauge::stats::cluster::Cluster;
use unigauge::stats::power::Plan;

/// A generator of made data: SplitMix64, whose numbers are as good as independent.
struct Dice(u64);

impl Dice {
    fn new(study: usize) -> Self {
        let mut dice = Self(study as u64 ^ 0x5eed_0000_0000);
        dice.bits();
        Self(dice.bits())
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn hits(&mut self, chance: f64) -> bool {
        self.share() < chance
    }

    /// Nearly standard normal: twelve uniform numbers.
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

/// Studies to make, `usual` in a normal test.
fn studies(usual: usize) -> usize {
    let times = std::env::var("UNIGAUGE_SIMULATIONS").ok();
    usual * times.map_or(1, |times| times.parse().unwrap())
}

/// The share of studies of which something is true; also printed.
fn share(what: &str, studies: usize, holds: impl Fn(usize) -> bool + Sync) -> f64 {
    let count = (0..studies)
        .into_par_iter()
        .filter(|study| holds(*study))
        .count();
    let share = count as f64 / studies as f64;
    println!("{what}: {:.2} % of {studies}", share * 100.0);
    share
}

/// Four standard errors of a share near `chance`.
fn margin(chance: f64, studies: usize) -> f64 {
    4.0 * (chance * (1.0 - chance) / studies as f64).sqrt()
}

/// Items with four outputs each and a chance of their own, so that outputs of an item hang together: the
/// truth is 0.5.
#[test]
fn bootstrap_intervals_hold_the_truth_as_often_as_they_say() {
    let covered = |kind: fn(&Bootstrap) -> (f64, f64), strata: usize| {
        move |study: usize| {
            let mut dice = Dice::new(study);
            let mut item = || {
                let chance = dice.share();
                Cluster {
                    numerator: (0..4).filter(|_| dice.hits(chance)).count() as f64,
                    denominator: 4.0,
                }
            };
            let data: Vec<Vec<Cluster>> = (0..strata)
                .map(|_| (0..60 / strata).map(|_| item()).collect())
                .collect();
            let (low, high) = kind(&Bootstrap::new(&data, 1000, study as u64).unwrap());
            low <= 0.5 && 0.5 <= high
        }
    };
    for (name, kind) in [
        (
            "percentile",
            (|b| b.percentile(0.95)) as fn(&Bootstrap) -> (f64, f64),
        ),
        ("BCa", |b| b.bca(0.95)),
    ] {
        for strata in [1, 3] {
            let what = format!("{name} intervals, {strata} strata, hold the truth");
            let found = share(&what, studies(2000), covered(kind, strata));
            assert!((found - 0.95).abs() <= 0.015, "{what}: {found}");
        }
    }
}

const TAGS: [&str; 3] = ["one", "two", "three"];

/// A run of items with one output each.
fn run(scores: &[f64], right_or_wrong: bool) -> Outcomes {
    let facts = RunFacts {
        suite: "made".into(),
        suite_title: "Made".into(),
        suite_version: "1".into(),
        model: "m".into(),
        model_title: "M".into(),
        run: "seed0".into(),
        repeats: 1,
        grading: json!({}),
        observers: BTreeMap::new(),
        overall: Overall::Micro,
        group_by: vec!["kind".into()],
        expected: scores.len(),
        scored: scores.len(),
        failed: 0,
        unscored: 0,
        value: None,
        judges: Vec::new(),
    };
    let item = |(at, score): (usize, &f64)| ItemOutcome {
        item: at.to_string(),
        asked: String::new(),
        tags: [("kind".to_owned(), TAGS[at % 3].to_owned())]
            .into_iter()
            .collect::<Tags>(),
        outputs: vec![OutputOutcome {
            sums: Some((*score, 1.0)),
            score: Some(*score),
            correct: right_or_wrong.then_some(*score == 1.0),
            parts: BTreeMap::new(),
        }],
    };
    Outcomes {
        facts,
        items: scores.iter().enumerate().map(item).collect(),
    }
}

fn policy(metrics: &[&str]) -> PolicyFile {
    let rule = |metric: &&str| PolicyRule {
        metric: Metric::try_from((*metric).to_owned()).unwrap(),
        suite: None,
        tier: Tier::Critical,
        max_drop: None,
        max_relative_drop: None,
        higher_is_better: true,
        level: None,
        test: None,
        min_pairs: None,
        partial: None,
    };
    PolicyFile {
        name: "made".into(),
        title: "Made".into(),
        description: String::new(),
        level: 0.05,
        power: 0.8,
        correction: Correction::Holm,
        test: TestChoice::Auto,
        min_pairs: 10,
        allow_judges: false,
        partial: PartialRuns::Inconclusive,
        resamples: 1000,
        rules: metrics.iter().map(rule).collect(),
    }
}

fn verdict(policy: &PolicyFile, before: &[f64], after: &[f64], right_or_wrong: bool) -> Verdict {
    let (before, after) = (run(before, right_or_wrong), run(after, right_or_wrong));
    let candidate = Candidate {
        run: &after,
        baseline: Some(&before),
        recount: None,
    };
    judge(policy, &[candidate], Allowed::default())
}

fn breached(policy: &PolicyFile, before: &[f64], after: &[f64], right_or_wrong: bool) -> bool {
    verdict(policy, before, after, right_or_wrong).status == Status::Breach
}

/// Two draws of right and wrong answers from the same model: items are more or less hard.
fn null_answers(study: usize) -> (Vec<f64>, Vec<f64>) {
    let mut dice = Dice::new(study);
    (0..100)
        .map(|_| {
            let chance = 0.3 + 0.7 * dice.share();
            let mut draw = || f64::from(u8::from(dice.hits(chance)));
            (draw(), draw())
        })
        .unzip()
}

/// Two draws of scores of 0 to 10, skewed towards the top as judges' scores are.
fn null_scores(study: usize) -> (Vec<f64>, Vec<f64>) {
    let mut dice = Dice::new(study);
    (0..60)
        .map(|_| {
            let level = 10.0 * dice.share().sqrt();
            let mut draw = || (level + 1.5 * dice.bell()).clamp(0.0, 10.0).round();
            (draw(), draw())
        })
        .unzip()
}

/// 2000 pairs of runs that differ by chance only: the gate that allows no drop at all raises false alarms no
/// more often than its level says, with one rule and with several.
#[test]
fn gates_raise_false_alarms_within_their_level() {
    let count = studies(2000);
    let one = policy(&["overall"]);
    let answers = |study| null_answers(study);
    let found = share("false alarms, right or wrong, McNemar", count, |study| {
        let (before, after) = answers(study);
        breached(&one, &before, &after, true)
    });
    assert!(found <= 0.05 && found > 0.01, "{found}");
    let found = share(
        "false alarms, scores of 0 to 10, permutation",
        count,
        |study| {
            let (before, after) = null_scores(study);
            breached(&one, &before, &after, false)
        },
    );
    assert!(
        found <= 0.05 + margin(0.05, count) && found > 0.03,
        "{found}"
    );
    let several = policy(&["overall", "kind=*"]);
    let found = share("false alarms of four rules, Holm", count, |study| {
        let (before, after) = null_scores(study);
        breached(&several, &before, &after, false)
    });
    assert!(
        found <= 0.05 + margin(0.05, count) && found > 0.01,
        "{found}"
    );
    let uncorrected = PolicyFile {
        correction: Correction::None,
        ..several
    };
    let found = share("false alarms of four rules, uncorrected", count, |study| {
        let (before, after) = null_scores(study);
        breached(&uncorrected, &before, &after, false)
    });
    assert!(
        found > 0.07,
        "without correction the test above shows nothing: {found}"
    );
}

/// Answers of which a share turns wrong and a share turns right: breaches are as frequent as the exact sum
/// says.
#[test]
fn the_power_of_a_gate_on_answers_is_as_computed() {
    let one = policy(&["overall"]);
    let plan = Plan {
        level: 0.05,
        power: 0.8,
        one_sided: true,
    };
    for (lost, gained) in [(0.08, 0.04), (0.12, 0.04), (0.18, 0.04)] {
        let count = studies(500);
        let what = format!("power, {lost} lost and {gained} gained of 100 items");
        let found = share(&what, count, |study| {
            let mut dice = Dice::new(study);
            let item = |_| match dice.share() {
                share if share < lost => (1.0, 0.0),
                share if share < lost + gained => (0.0, 1.0),
                share if share < 0.6 => (1.0, 1.0),
                _ => (0.0, 0.0),
            };
            let (before, after): (Vec<f64>, Vec<f64>) = (0..100).map(item).unzip();
            breached(&one, &before, &after, true)
        });
        let theory = plan.of_flips(100, lost, gained);
        println!("  theory {:.2} %", theory * 100.0);
        assert!(
            (found - theory).abs() <= margin(theory, count),
            "{what}: {found}, {theory}"
        );
    }
}

/// Scores that fall by a mean amount: normal theory, whose difference from the permutation test at 80 items
/// is small.
#[test]
fn the_power_of_a_gate_on_scores_is_as_computed() {
    let one = policy(&["overall"]);
    let plan = Plan {
        level: 0.05,
        power: 0.8,
        one_sided: true,
    };
    // Two draws of deviation 1: differences of deviation √2.
    let error = (2.0_f64 / 80.0).sqrt();
    for drop in [0.2, 0.4, 0.6] {
        let count = studies(500);
        let what = format!("power, scores of 0 to 10 that fall by {drop}, 80 items");
        let found = share(&what, count, |study| {
            let mut dice = Dice::new(study);
            let item = |_| {
                let level = 4.0 + 2.0 * dice.share();
                (level + dice.bell(), level - drop + dice.bell())
            };
            let (before, after): (Vec<f64>, Vec<f64>) = (0..80).map(item).unzip();
            breached(&one, &before, &after, false)
        });
        let theory = plan.of_mean(drop, error);
        println!("  theory {:.2} %", theory * 100.0);
        let tolerance = margin(theory, count) + 0.01;
        assert!(
            (found - theory).abs() <= tolerance,
            "{what}: {found}, {theory}"
        );
    }
}

/// At the least drop that a verdict says is seen, the chance of a breach is the policy's power.
#[test]
fn the_least_drop_that_is_seen_is_seen_with_the_wished_power() {
    let one = policy(&["overall"]);
    let (before, after) = null_scores(1);
    let least = verdict(&one, &before, &after, false).rules[0]
        .detectable
        .unwrap();
    let differences: Vec<f64> = before.iter().zip(&after).map(|(a, b)| b - a).collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let count = studies(500);
    let found = share("breaches at the least drop that is seen", count, |study| {
        let mut dice = Dice::new(study);
        // Differences as those of the pair, drawn anew, around the least drop.
        let drawn: Vec<f64> = (0..differences.len())
            .map(|_| {
                let at = (dice.share() * differences.len() as f64) as usize;
                differences[at] - mean - least
            })
            .collect();
        breached(
            &one,
            &vec![5.0; drawn.len()],
            &drawn.iter().map(|d| 5.0 + d).collect::<Vec<_>>(),
            false,
        )
    });
    assert!((found - 0.8).abs() <= margin(0.8, count) + 0.02, "{found}");
}
