//! A restorer and a reader on the same ladder of noise: how far apart are the levels at which they lose half,
//! and do they make the same mistakes?

use super::curve::{Curve, Curves, SEED};
use super::mistakes::{Mistake, mistakes};
use crate::grade::rule::Board;
use crate::record::{Grade, Item};
use crate::stats::ladder::{Half, interval};
use crate::stats::shared::{BothWrong, Shared, shared};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// Two models on one kind of noise.
#[derive(Debug, Clone, PartialEq)]
pub struct NoisePair {
    /// The highest level of the ladder.
    pub highest: f64,
    /// The level at which each model has lost half, with its 95 % interval. An end may be infinite.
    pub halves: [(Half, Option<[f64; 2]>); 2],
    /// The level of the first model minus that of the second. `None` if one of them loses less than half, or
    /// has nothing to lose.
    pub gap: Option<f64>,
    /// The 95 % interval of the gap, which resamples the sources of both together. An end may be infinite.
    pub gap_interval: Option<[f64; 2]>,
    /// What both name wrongly: the label of a picture, or what is in a cell of a scene. `None` if there is
    /// nothing.
    pub shared: Option<Shared>,
}

/// The sources that a reader does not read rightly without noise, at level 0. What such a reader says of the
/// noisy or the restored picture tells nothing about the noise.
pub fn missed_sources(items: &[Item], grades: &[Grade]) -> BTreeSet<String> {
    let clean: HashMap<&str, &str> = items
        .iter()
        .filter(|item| item.expect.get("level").and_then(Value::as_f64) == Some(0.0))
        .map(|item| (item.item.as_str(), source(item)))
        .collect();
    let missed = grades.iter().filter(|grade| grade.score != Some(1.0));
    missed
        .filter_map(|grade| Some((*clean.get(grade.item.as_str())?).to_owned()))
        .collect()
}

/// Compares two runs of suites with the same ladder, by kind of noise. Items are those of one of the runs;
/// the grades of both have the same ids. Sources that are `left_out` do not count.
pub fn noise_pairs(
    items: &[Item],
    first: &[Grade],
    second: &[Grade],
    left_out: &BTreeSet<String>,
) -> BTreeMap<String, NoisePair> {
    let kept = items.iter().filter(|item| !left_out.contains(source(item)));
    let items: Vec<Item> = kept.cloned().collect();
    let curves = |grades: &[Grade]| {
        Curves::of(&Board {
            model: "",
            root: Path::new(""),
            items: &items,
            outputs: None,
            evidence: &[],
            grades,
        })
    };
    let (one, other) = (curves(first), curves(second));
    let pairs = one.0.iter().filter_map(|(kind, curve)| {
        let beside = other.0.get(kind)?;
        let (gap, gap_interval) = gap(curve, beside);
        let half = |curve: &Curve| curve.recognised.half(curve.chance, SEED);
        let pair = NoisePair {
            highest: curve.highest(),
            halves: [half(curve), half(beside)],
            gap,
            gap_interval,
            shared: shared_mistakes(&items, first, second, kind),
        };
        Some((kind.clone(), pair))
    });
    pairs.collect()
}

/// The source of an item, which may be empty.
fn source(item: &Item) -> &str {
    let source = item.expect.get("source").and_then(Value::as_str);
    source.unwrap_or_default()
}

/// The distance of the levels at which half is lost, and its interval.
fn gap(one: &Curve, other: &Curve) -> (Option<f64>, Option<[f64; 2]>) {
    let place = |name: &String| other.sources.iter().position(|source| source == name);
    let sources = one.sources.iter().enumerate();
    let common: Vec<[usize; 2]> = sources
        .filter_map(|(at, name)| Some([at, place(name)?]))
        .collect();
    let difference = |drawn: &[usize]| {
        let half = |curve: &Curve, side: usize| {
            let chosen = drawn.iter().map(|at| common[*at][side]);
            curve.recognised.half_of(chosen, curve.chance).number()
        };
        let gap = half(one, 0)? - half(other, 1)?;
        (!gap.is_nan()).then_some(gap)
    };
    let all: Vec<usize> = (0..common.len()).collect();
    let observed = difference(&all).filter(|gap| gap.is_finite());
    (observed, interval(common.len(), SEED, difference))
}

/// The mistakes that both models make on one kind of noise.
fn shared_mistakes(
    items: &[Item],
    first: &[Grade],
    second: &[Grade],
    kind: &str,
) -> Option<Shared> {
    let of_kind = |item: &&Item| item.expect.get("noise").and_then(Value::as_str) == Some(kind);
    let asked: HashMap<&str, (&Item, String)> = items
        .iter()
        .filter(of_kind)
        .map(|item| (item.item.as_str(), (item, level(item))))
        .collect();
    let wrong = |grade: &Grade| -> Vec<Mistake> {
        let item = asked.get(grade.item.as_str());
        item.map_or_else(Vec::new, |(item, _)| mistakes(item, grade))
    };
    let mut answers: HashMap<(&str, u32, [u64; 2]), String> = HashMap::new();
    for grade in second {
        for Mistake { cell, said, .. } in wrong(grade) {
            answers.insert((grade.item.as_str(), grade.repeat, cell), said);
        }
    }
    let mut both: Vec<(&str, Mistake, &String)> = Vec::new();
    for grade in first {
        for mistake in wrong(grade) {
            let key = (grade.item.as_str(), grade.repeat, mistake.cell);
            both.extend(answers.get(&key).map(|said| (key.0, mistake, said)));
        }
    }
    let cases = both.iter().filter_map(|(item, mistake, second)| {
        let (item, level) = asked.get(item)?;
        Some(BothWrong {
            source: source(item),
            truth: &mistake.truth,
            level,
            first: &mistake.said,
            second,
        })
    });
    shared(&cases.collect::<Vec<_>>(), SEED)
}

fn level(item: &Item) -> String {
    let level = item.expect.get("level");
    level.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Items of 30 sources at ten levels, and the grades of a model that is right up to a level and then says
    /// something.
    fn run(last: f64, says: impl Fn(usize) -> &'static str) -> (Vec<Item>, Vec<Grade>) {
        let (mut items, mut grades) = (Vec::new(), Vec::new());
        for source in 0..30_usize {
            for step in 0..10_u8 {
                let level = f64::from(step) / 10.0;
                let id = format!("{source}@mix{level}");
                let item = json!({"item": id, "task": "edit", "prompt": "p", "expect": {
                    "source": source.to_string(), "level": level, "noise": "mix", "label": "dog"}});
                items.push(serde_json::from_value(item).unwrap());
                let right = f64::from(u8::from(level <= last));
                grades.push(Grade {
                    item: id,
                    score: Some(right),
                    parts: BTreeMap::from([("swap".to_owned(), 1.0 - right)]).into(),
                    reason: says(source).to_owned(),
                    ..Grade::default()
                });
            }
        }
        (items, grades)
    }

    /// No source is left out.
    fn all() -> BTreeSet<String> {
        BTreeSet::new()
    }

    fn either(source: usize) -> &'static str {
        if source.is_multiple_of(2) {
            "deer"
        } else {
            "cat"
        }
    }

    #[test]
    fn the_same_mistakes_and_the_same_level() {
        let (items, grades) = run(0.4, either);
        let pair = &noise_pairs(&items, &grades, &grades, &all())["mix"];
        assert_eq!((pair.gap, pair.gap_interval), (Some(0.0), Some([0.0, 0.0])));
        let shared = pair.shared.unwrap();
        assert_eq!(
            (shared.n, shared.observed, shared.expected),
            (150, 1.0, 0.5)
        );
        assert!(shared.p.unwrap() < 0.01);
    }

    #[test]
    fn a_restorer_that_sees_more_than_its_reader() {
        let (items, restored) = run(0.6, either);
        let (_, read) = run(0.3, |source| either(source / 2));
        let pair = &noise_pairs(&items, &restored, &read, &all())["mix"];
        assert!((pair.gap.unwrap() - 0.3).abs() < 1e-9);
        let shared = pair.shared.unwrap();
        // Both are wrong at 0.7, 0.8 and 0.9; their answers are nearly independent.
        assert_eq!(shared.n, 90);
        assert!(
            (shared.observed - shared.expected).abs() < 0.1,
            "{shared:?}"
        );
    }

    #[test]
    fn a_level_that_is_not_reached_has_no_gap() {
        let (items, restored) = run(0.9, either);
        let (_, read) = run(0.3, either);
        let pair = &noise_pairs(&items, &restored, &read, &all())["mix"];
        assert_eq!((pair.gap, pair.shared), (None, None));
        assert_eq!(pair.gap_interval, Some([f64::INFINITY; 2]));
    }

    #[test]
    fn sources_that_are_missed_without_noise_are_left_out() {
        let (items, restored) = run(0.6, either);
        let (_, mut read) = run(0.3, |source| either(source / 2));
        // The first level of the first two sources.
        for place in [0, 10] {
            read[place].score = Some(0.0);
        }
        read[20].score = None;
        let missed = missed_sources(&items, &read);
        assert_eq!(missed, BTreeSet::from(["0", "1", "2"].map(str::to_owned)));
        let pair = &noise_pairs(&items, &restored, &read, &missed)["mix"];
        // Three levels of the 27 others.
        assert_eq!(pair.shared.unwrap().n, 81);
        let (Half::At(restored), Half::At(read)) = (pair.halves[0].0, pair.halves[1].0) else {
            panic!("{pair:?}");
        };
        assert!((restored - 0.65).abs() < 1e-9 && (read - 0.35).abs() < 1e-9);
    }
}
