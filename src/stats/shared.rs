//! Mistakes that two models share: do they give the same wrong answer more often than chance?

use super::random::SplitMix64;
use rayon::prelude::*;
use std::collections::HashMap;

/// The fewest shared cases that are tested.
pub const FEWEST: usize = 20;
/// The number of permutations.
pub const PERMUTATIONS: usize = 10_000;

/// A case in which both models are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BothWrong<'a> {
    /// The right answer.
    pub truth: &'a str,
    /// The level of difficulty, as text.
    pub level: &'a str,
    /// The wrong answer of the first model.
    pub first: &'a str,
    /// The wrong answer of the second model.
    pub second: &'a str,
}

/// How often two models give the same wrong answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shared {
    /// The number of cases.
    pub n: usize,
    /// The share of cases with the same wrong answer.
    pub observed: f64,
    /// The share that independent models with the same wrong answers would have.
    pub expected: f64,
    /// The probability of at least the observed share if the second model's answers are exchanged among the
    /// cases with the same right answer and level. `None` below [`FEWEST`] cases.
    pub p: Option<f64>,
}

/// Compares the wrong answers of two models. `None` without cases.
pub fn shared(cases: &[BothWrong<'_>], seed: u64) -> Option<Shared> {
    if cases.is_empty() {
        return None;
    }
    let strata = strata(cases);
    let n = cases.len();
    let same = cases.iter().filter(|case| case.first == case.second);
    let same = same.count();
    let expected = strata
        .iter()
        .map(|stratum| expected_in(stratum))
        .sum::<f64>();
    Some(Shared {
        n,
        observed: same as f64 / n as f64,
        expected: expected / n as f64,
        p: (n >= FEWEST).then(|| probability(&strata, same, seed)),
    })
}

/// The cases with the same right answer and level, in the order of their first appearance, as pairs of
/// numbers of answers.
fn strata(cases: &[BothWrong<'_>]) -> Vec<Vec<[usize; 2]>> {
    let mut answers: HashMap<&str, usize> = HashMap::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let mut strata: Vec<Vec<[usize; 2]>> = Vec::new();
    for case in cases {
        let place = *places.entry((case.truth, case.level)).or_insert_with(|| {
            strata.push(Vec::new());
            strata.len() - 1
        });
        let pair = [case.first, case.second].map(|answer| {
            let next = answers.len();
            *answers.entry(answer).or_insert(next)
        });
        strata[place].push(pair);
    }
    strata
}

/// The expected number of equal answers of a stratum.
fn expected_in(stratum: &[[usize; 2]]) -> f64 {
    let mut counts: HashMap<usize, [f64; 2]> = HashMap::new();
    for pair in stratum {
        for (side, answer) in pair.iter().enumerate() {
            counts.entry(*answer).or_default()[side] += 1.0;
        }
    }
    let products = counts.values().map(|[first, second]| first * second);
    products.sum::<f64>() / stratum.len() as f64
}

fn probability(strata: &[Vec<[usize; 2]>], observed: usize, seed: u64) -> f64 {
    let as_many = (0..PERMUTATIONS)
        .into_par_iter()
        .filter(|index| {
            let mut random = SplitMix64::new(seed, *index as u64);
            let same = strata.iter().map(|stratum| exchanged(stratum, &mut random));
            same.sum::<usize>() >= observed
        })
        .count();
    (as_many + 1) as f64 / (PERMUTATIONS + 1) as f64
}

/// The number of equal answers after the second model's answers are exchanged at random.
fn exchanged(stratum: &[[usize; 2]], random: &mut SplitMix64) -> usize {
    let mut second: Vec<usize> = stratum.iter().map(|pair| pair[1]).collect();
    for place in 0..second.len() {
        let other = place + random.two_below(second.len() - place)[0];
        second.swap(place, other);
    }
    let pairs = stratum.iter().zip(second);
    pairs.filter(|(pair, second)| pair[0] == *second).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(first: &'static str, second: &'static str) -> BothWrong<'static> {
        BothWrong {
            truth: "dog",
            level: "0.6",
            first,
            second,
        }
    }

    #[test]
    fn the_same_mistakes_are_more_than_chance() {
        let cases: Vec<_> = [case("deer", "deer"), case("cat", "cat")]
            .into_iter()
            .cycle()
            .take(40)
            .collect();
        let found = shared(&cases, 1).unwrap();
        assert_eq!((found.n, found.observed, found.expected), (40, 1.0, 0.5));
        assert!(found.p.unwrap() < 1e-3);
    }

    #[test]
    fn independent_mistakes_are_chance() {
        let cases: Vec<_> = [
            case("deer", "deer"),
            case("deer", "cat"),
            case("cat", "deer"),
            case("cat", "cat"),
        ]
        .into_iter()
        .cycle()
        .take(40)
        .collect();
        let found = shared(&cases, 1).unwrap();
        assert_eq!((found.observed, found.expected), (0.5, 0.5));
        assert!(found.p.unwrap() > 0.3);
    }

    #[test]
    fn few_cases_are_not_tested_and_none_say_nothing() {
        let found = shared(&[case("deer", "deer"); 19], 1).unwrap();
        assert_eq!((found.observed, found.p), (1.0, None));
        assert_eq!(shared(&[], 1), None);
    }
}
