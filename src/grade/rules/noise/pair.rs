//! A restorer and a reader on the same ladder: how far apart are the levels at which they lose half, and do they
//! make the same mistakes?

use super::curve::{Curve, Curves, SEED};
use crate::grade::rule::Board;
use crate::record::{Grade, Item};
use crate::stats::ladder::interval;
use crate::stats::shared::{BothWrong, Shared, shared};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Two models on one kind of noise.
#[derive(Debug, Clone, PartialEq)]
pub struct NoisePair {
    /// The level of the first model minus that of the second. `None` if one of them loses less than half, or
    /// has nothing to lose.
    pub gap: Option<f64>,
    /// The 95 % interval of the gap, which resamples the sources of both together. An end may be infinite.
    pub gap_interval: Option<[f64; 2]>,
    /// The mistakes that both make. `None` if they are never wrong together.
    pub shared: Option<Shared>,
}

/// Compares two runs of suites with the same ladder, by kind of noise. Items are those of one of the runs; the
/// grades of both have the same ids.
pub fn noise_pairs(
    items: &[Item],
    first: &[Grade],
    second: &[Grade],
) -> BTreeMap<String, NoisePair> {
    let curves = |grades: &[Grade]| {
        Curves::of(&Board {
            model: "",
            root: Path::new(""),
            items,
            outputs: None,
            evidence: &[],
            grades,
        })
    };
    let (one, other) = (curves(first), curves(second));
    let pairs = one.0.iter().filter_map(|(kind, curve)| {
        let (gap, gap_interval) = gap(curve, other.0.get(kind)?);
        let shared = shared_mistakes(items, first, second, kind);
        let pair = NoisePair {
            gap,
            gap_interval,
            shared,
        };
        Some((kind.clone(), pair))
    });
    pairs.collect()
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
    let asked: HashMap<&str, (String, String)> = items
        .iter()
        .filter(of_kind)
        .map(|item| (item.item.as_str(), (truth(item), level(item))))
        .collect();
    let wrong = |grade: &Grade| {
        let swapped = grade.parts.get("swap") == Some(&1.0);
        swapped.then(|| canonical(&grade.reason))
    };
    let answers: HashMap<(&str, u32), String> = second
        .iter()
        .filter_map(|grade| Some(((grade.item.as_str(), grade.repeat), wrong(grade)?)))
        .collect();
    let both: Vec<(&(String, String), String, &String)> = first
        .iter()
        .filter_map(|grade| {
            let asked = asked.get(grade.item.as_str())?;
            let answer = answers.get(&(grade.item.as_str(), grade.repeat))?;
            Some((asked, wrong(grade)?, answer))
        })
        .collect();
    let cases: Vec<BothWrong<'_>> = both
        .iter()
        .map(|((truth, level), first, second)| BothWrong {
            truth,
            level,
            first,
            second,
        })
        .collect();
    shared(&cases, SEED)
}

/// What is there: the label, or the things of a scene.
fn truth(item: &Item) -> String {
    let label = item.expect.get("label").and_then(Value::as_str);
    let scene = || item.expect.get("scene").map(ToString::to_string);
    label.map(str::to_owned).or_else(scene).unwrap_or_default()
}

fn level(item: &Item) -> String {
    let level = item.expect.get("level");
    level.map(ToString::to_string).unwrap_or_default()
}

/// What was recognised, with things in the order of the alphabet.
fn canonical(said: &str) -> String {
    let mut things: Vec<&str> = said.split("; ").collect();
    things.sort_unstable();
    things.join("; ")
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
        let pair = &noise_pairs(&items, &grades, &grades)["mix"];
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
        let pair = &noise_pairs(&items, &restored, &read)["mix"];
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
        let pair = &noise_pairs(&items, &restored, &read)["mix"];
        assert_eq!((pair.gap, pair.shared), (None, None));
        assert_eq!(pair.gap_interval, Some([f64::INFINITY; 2]));
    }

    #[test]
    fn the_order_of_things_does_not_matter() {
        assert_eq!(canonical("b; a"), canonical("a; b"));
    }
}
