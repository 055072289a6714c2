//! Mistakes that two models share: do they give the same wrong answer more often than chance?

use super::ladder;
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
    /// What the case belongs to. Cases of one source depend on each other.
    pub source: &'a str,
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
    /// The 95 % interval of the observed minus the expected share, which resamples sources. The expected
    /// share of each case stays that of all sources.
    pub excess_interval: Option<[f64; 2]>,
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
        excess_interval: excess_interval(cases, &strata, seed),
        p: (n >= FEWEST).then(|| probability(&strata, same, seed)),
    })
}

/// The interval of the observed minus the expected share.
fn excess_interval(
    cases: &[BothWrong<'_>],
    strata: &[Vec<[usize; 2]>],
    seed: u64,
) -> Option<[f64; 2]> {
    let expected: Vec<f64> = strata
        .iter()
        .map(|stratum| expected_in(stratum) / stratum.len() as f64)
        .collect();
    let places = stratum_of(cases);
    let mut sources: HashMap<&str, usize> = HashMap::new();
    // The sum of the excess and the number of cases of each source.
    let mut sums: Vec<[f64; 2]> = Vec::new();
    for (case, place) in cases.iter().zip(places) {
        let source = *sources.entry(case.source).or_insert_with(|| {
            sums.push([0.0; 2]);
            sums.len() - 1
        });
        let same = f64::from(u8::from(case.first == case.second));
        sums[source][0] += same - expected[place];
        sums[source][1] += 1.0;
    }
    ladder::interval(sums.len(), seed, |drawn| {
        let [excess, count] = drawn.iter().fold([0.0; 2], |total, source| {
            [total[0] + sums[*source][0], total[1] + sums[*source][1]]
        });
        (count > 0.0).then(|| excess / count)
    })
}

/// The number of the stratum of each case. A stratum has the cases with the same right answer and level, and
/// strata are numbered in the order of their first appearance.
fn stratum_of<'a>(cases: &[BothWrong<'a>]) -> Vec<usize> {
    let mut places: HashMap<(&'a str, &'a str), usize> = HashMap::new();
    let place = |case: &BothWrong<'a>| {
        let next = places.len();
        *places.entry((case.truth, case.level)).or_insert(next)
    };
    cases.iter().map(place).collect()
}

/// The cases of each stratum, as pairs of numbers of answers.
fn strata(cases: &[BothWrong<'_>]) -> Vec<Vec<[usize; 2]>> {
    let mut answers: HashMap<&str, usize> = HashMap::new();
    let mut strata: Vec<Vec<[usize; 2]>> = Vec::new();
    for (case, place) in cases.iter().zip(stratum_of(cases)) {
        if place == strata.len() {
            strata.push(Vec::new());
        }
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
            source: "dog-00",
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
    fn the_interval_of_the_excess_resamples_sources() {
        let of = |source, second| BothWrong {
            source,
            ..case("deer", second)
        };
        let mixed: Vec<_> = ["a", "b", "c", "d"]
            .into_iter()
            .flat_map(|source| [of(source, "deer"), of(source, "cat")])
            .collect();
        let found = shared(&mixed, 1).unwrap();
        // Every source has as many equal answers as chance, so no draw differs.
        assert_eq!(found.excess_interval, Some([0.0, 0.0]));
        let apart: Vec<_> = ["a", "b", "c", "d"]
            .into_iter()
            .zip(["deer", "cat", "deer", "cat"])
            .map(|(source, second)| of(source, second))
            .collect();
        let [low, high] = shared(&apart, 1).unwrap().excess_interval.unwrap();
        assert!(low < -0.2 && high > 0.2, "{low} {high}");
    }

    #[test]
    fn few_cases_are_not_tested_and_none_say_nothing() {
        let found = shared(&[case("deer", "deer"); 19], 1).unwrap();
        assert_eq!((found.observed, found.p), (1.0, None));
        assert_eq!(shared(&[], 1), None);
    }
}
