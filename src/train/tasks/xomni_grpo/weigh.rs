//! Which drawings of a step teach something, and how much.

use super::objective::{AdvantageSettings, Advantages, NOTHING};
use super::settings::Method;
use crate::text::count::counted;
use crate::train::scores::Scored;
use std::collections::BTreeMap;

/// What the rewards of a step say.
#[derive(Debug)]
pub(super) struct Weighed {
    /// The drawings that count: group, member and advantage.
    pub chosen: Vec<(usize, usize, f64)>,
    /// The share of drawings without a reward.
    pub missing: f64,
    /// The share of groups whose rewards have no differences.
    pub even: f64,
    /// The share of groups with fewer than two rewards.
    pub broken: f64,
}

/// Advantages of the groups with differences. A drawing without a reward is left out, and so is a group with
/// fewer than two rewards.
pub(super) fn weigh(
    scored: &[Vec<Scored>],
    method: Method,
    settings: &AdvantageSettings,
) -> Weighed {
    let (mut rows, mut numbers) = (Vec::new(), Vec::new());
    for (number, group) in scored.iter().enumerate() {
        for scored in group {
            rows.push(vec![reward(scored).unwrap_or(f64::NAN)]);
            numbers.push(number as i64);
        }
    }
    let advantages = Advantages::new(&rows, &numbers, settings);
    let mut at = 0;
    let (mut chosen, mut even, mut broken) = (Vec::new(), 0, 0);
    for (number, group) in scored.iter().enumerate() {
        let whole: Vec<(usize, f64, f64)> = group
            .iter()
            .enumerate()
            .filter_map(|(member, scored)| {
                Some((member, reward(scored)?, advantages.values[at + member]))
            })
            .collect();
        at += group.len();
        let rewards = whole.iter().map(|(_, reward, _)| *reward);
        let (least, most) = bounds(rewards);
        if whole.len() < 2 {
            broken += 1;
        } else if most - least < NOTHING {
            even += 1;
        } else if method == Method::BestOfN {
            let best = whole.iter().find(|(_, reward, _)| *reward == most);
            chosen.extend(best.map(|(member, _, _)| (number, *member, 1.0)));
        } else {
            let all = whole.iter();
            chosen.extend(all.map(|(member, _, advantage)| (number, *member, *advantage)));
        }
    }
    let unknown = rows.iter().filter(|row| row[0].is_nan()).count();
    let share = |count: usize, all: usize| count as f64 / all.max(1) as f64;
    Weighed {
        chosen,
        missing: share(unknown, rows.len()),
        even: share(even, scored.len()),
        broken: share(broken, scored.len()),
    }
}

/// The reward of a drawing, where there is one.
pub(super) fn reward(scored: &Scored) -> Option<f64> {
    scored.reward.filter(|reward| reward.is_finite())
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(least, most), value| (least.min(value), most.max(value)),
    )
}

/// Why drawings have no reward, each reason once with how often.
pub(super) fn reasons(scored: &[Vec<Scored>]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let without = scored
        .iter()
        .flatten()
        .filter(|scored| reward(scored).is_none());
    for scored in without {
        for (name, why) in &scored.errors {
            *counts.entry(format!("{name}: {why}")).or_default() += 1;
        }
        if scored.errors.is_empty() {
            *counts.entry("no reason is given".into()).or_default() += 1;
        }
    }
    let reasons = counts
        .iter()
        .map(|(reason, count)| format!("{reason} ({})", counted(*count, "time")));
    reasons.collect::<Vec<String>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::objective::{Combine, Missing, Scale};
    use super::*;

    fn group(rewards: &[Option<f64>]) -> Vec<Scored> {
        let scored = rewards.iter().map(|reward| Scored {
            reward: *reward,
            ..Scored::default()
        });
        scored.collect()
    }

    fn settings() -> AdvantageSettings {
        AdvantageSettings {
            weights: vec![1.0],
            combine: Combine::Sum,
            scale: Scale::Group,
            ddof: 1,
            eps: 1e-4,
            limit: None,
            missing: Missing::Drop,
        }
    }

    #[test]
    fn groups_without_differences_or_with_one_reward_teach_nothing() {
        let scored = [
            group(&[Some(0.7), Some(0.7), Some(0.7)]),
            group(&[Some(1.0), None, Some(f64::NAN)]),
            group(&[Some(1.0), None, Some(0.0)]),
            group(&[Some(0.2)]),
            group(&[]),
        ];
        let weighed = weigh(&scored, Method::Grpo, &settings());
        let places: Vec<(usize, usize)> = weighed
            .chosen
            .iter()
            .map(|(number, member, _)| (*number, *member))
            .collect();
        assert_eq!(places, [(2, 0), (2, 2)]);
        let spread = 0.5_f64.sqrt() + 1e-4;
        for ((_, _, advantage), distance) in weighed.chosen.iter().zip([0.5, -0.5]) {
            assert!((advantage - distance / spread).abs() < 1e-12);
        }
        assert!((weighed.missing - 0.3).abs() < 1e-12);
        assert!((weighed.even - 0.2).abs() < 1e-12);
        assert!((weighed.broken - 0.6).abs() < 1e-12);
    }

    #[test]
    fn the_best_of_a_group_is_the_first_of_the_largest_rewards() {
        let scored = [
            group(&[Some(0.1), Some(0.9), None, Some(0.9)]),
            group(&[Some(0.5), Some(0.5)]),
        ];
        let weighed = weigh(&scored, Method::BestOfN, &settings());
        assert_eq!(weighed.chosen, [(0, 1, 1.0)]);
    }

    #[test]
    fn rounding_is_no_difference() {
        let seventh = group(&[Some(0.7), Some(0.7 + 1e-15), Some(0.7 - 1e-9)]);
        let weighed = weigh(&[seventh], Method::Grpo, &settings());
        assert!(weighed.chosen.is_empty() && weighed.even == 1.0);
    }

    #[test]
    fn reasons_are_counted() {
        let mut missing = group(&[None, None, Some(1.0)]);
        for scored in &mut missing[..1] {
            scored.errors.push(("text".into(), "timed out".into()));
        }
        let said = reasons(&[missing]);
        assert_eq!(
            said,
            "no reason is given (1 time); text: timed out (1 time)"
        );
    }
}
