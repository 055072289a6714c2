//! Intervals and tests beside SciPy's and statsmodels' (tests/golden/stats/make.py), and how often they are
//! right.

use serde_json::Value;
use std::path::Path;
use unigauge::stats::bootstrap::Bootstrap;
use unigauge::stats::cluster::{Cluster, Pair};
use unigauge::stats::jackknife::jackknife;
use unigauge::stats::mcnemar::{self, Flips};
use unigauge::stats::power::Plan;
use unigauge::stats::tails::Tails;
use unigauge::stats::{holm, permutation, proportion};

/// The cases of a kind, of which there are so many.
fn cases(of: &str, count: usize) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/stats/cases.json");
    let cases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = cases[of].as_array().unwrap().clone();
    assert_eq!(cases.len(), count, "{of}");
    cases
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn close(found: f64, expected: &Value, what: &str) {
    let expected = number(expected);
    let difference = (found - expected).abs();
    assert!(difference <= 1e-6, "{what}: {found}, expected {expected}");
}

fn both_close(found: (f64, f64), expected: &Value, what: &str) {
    close(found.0, &expected[0], what);
    close(found.1, &expected[1], what);
}

/// The strata of a case; `of` makes one cluster of its numbers.
fn strata<T>(case: &Value, of: impl Fn(&[f64]) -> T) -> Vec<Vec<T>> {
    let list = |value: &Value| value.as_array().unwrap().clone();
    let cluster = |value: &Value| of(&list(value).iter().map(number).collect::<Vec<f64>>());
    let strata = list(&case["strata"]);
    strata
        .iter()
        .map(|stratum| list(stratum).iter().map(cluster).collect())
        .collect()
}

fn cluster(numbers: &[f64]) -> Cluster {
    Cluster {
        numerator: numbers[0],
        denominator: numbers[1],
    }
}

fn pair(numbers: &[f64]) -> Pair {
    Pair {
        before: cluster(&numbers[..2]),
        after: cluster(&numbers[2..]),
    }
}

fn tails_close(found: Tails, case: &Value) {
    let what = case.to_string();
    assert!(found.exact);
    close(found.lower, &case["lower"], &what);
    close(found.upper, &case["upper"], &what);
    close(found.both, &case["both"], &what);
}

/// A mean, a ratio of sums, and a mean over three strata.
#[test]
fn bootstrap_intervals_are_scipys_on_the_same_resamples() {
    for case in cases("bootstrap", 3) {
        let resamples = case["resamples"].as_u64().unwrap() as usize;
        let seed = case["seed"].as_u64().unwrap();
        let bootstrap = Bootstrap::new(&strata(&case, cluster), resamples, seed).unwrap();
        for expected in case["percentile"].as_array().unwrap() {
            let found = bootstrap.percentile(number(&expected[0]));
            both_close(
                found,
                &serde_json::json!([expected[1], expected[2]]),
                "percentile",
            );
        }
        for expected in case["bca"].as_array().unwrap() {
            let found = bootstrap.bca(number(&expected[0]));
            both_close(found, &serde_json::json!([expected[1], expected[2]]), "BCa");
        }
    }
}

#[test]
fn standard_errors_are_those_of_means() {
    for case in cases("jackknife", 2) {
        let found = jackknife(&strata(&case, cluster)).unwrap();
        close(
            found.standard_error,
            &case["standard_error"],
            "standard error",
        );
    }
}

#[test]
fn intervals_of_proportions_are_statsmodels() {
    for case in cases("proportion", 14) {
        let [k, n] = ["successes", "trials"].map(|key| case[key].as_u64().unwrap());
        let level = number(&case["level"]);
        let what = format!("{k} of {n} at {level}");
        let wilson = proportion::wilson(k as f64 / n as f64, n as f64, level);
        both_close(wilson, &case["wilson"], &what);
        let exact = proportion::clopper_pearson(k, n, level);
        both_close(exact, &case["clopper_pearson"], &what);
    }
}

#[test]
fn exact_tests_of_flips_are_scipys() {
    for case in cases("mcnemar", 6) {
        let [gained, lost] = ["gained", "lost"].map(|key| case[key].as_u64().unwrap());
        let flips = Flips { gained, lost };
        tails_close(mcnemar::test(flips), &case);
        if let Some(expected) = case.get("odds_ratio") {
            let (ratio, low, high) = flips.odds_ratio(0.95).unwrap();
            close(ratio, &expected[0], "odds ratio");
            both_close(
                (low, high),
                &serde_json::json!([expected[1], expected[2]]),
                "odds ratio",
            );
        }
    }
}

/// The first case is a mean, the second a mean over two strata of ratios, the third a ratio whose
/// denominators differ.
#[test]
fn all_exchanges_of_a_paired_test_are_counted_as_scipy_counts_them() {
    for case in cases("permutation", 3) {
        tails_close(
            permutation::test(&strata(&case, pair), 10, 0).unwrap(),
            &case,
        );
    }
}

/// Many more items than can be counted: random exchanges come near the exact result of the same kind of data.
/// 30 flips of 0/1 outcomes are McNemar's test, whose exact p values are known.
#[test]
fn random_exchanges_agree_with_the_exact_test() {
    let outcome = |before: f64, after: f64| pair(&[before, 1.0, after, 1.0]);
    let mut items = vec![outcome(1.0, 1.0); 100];
    items.extend(vec![outcome(1.0, 0.0); 21]);
    items.extend(vec![outcome(0.0, 1.0); 9]);
    let found = permutation::test(&[items], 20_000, 3).unwrap();
    let exact = mcnemar::test(Flips {
        gained: 9,
        lost: 21,
    });
    assert!(!found.exact);
    for (found, exact) in [
        (found.lower, exact.lower),
        (found.upper, exact.upper),
        (found.both, exact.both),
    ] {
        // Standard error of 20 000 draws at 0.04: 0.0014.
        assert!((found - exact).abs() < 0.005, "{found}, {exact}");
    }
}

#[test]
fn holm_s_correction_is_statsmodels() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/stats/cases.json");
    let cases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let list = |key: &str| cases["holm"][key].as_array().unwrap().clone();
    let p: Vec<f64> = list("p").iter().map(number).collect();
    let (adjusted, expected) = (holm::adjust(&p), list("adjusted"));
    assert_eq!([adjusted.len(), expected.len()], [6; 2]);
    for (found, expected) in adjusted.iter().zip(expected) {
        close(*found, &expected, "Holm");
    }
}

#[test]
fn power_is_statsmodels_for_means_and_summed_exactly_for_flips() {
    for case in cases("power", 3) {
        let plan = Plan {
            level: number(&case["level"]),
            power: number(&case["power"]),
            one_sided: case["one_sided"].as_bool().unwrap(),
        };
        let rows = |key: &str, count: usize| {
            let rows = case[key].as_array().unwrap().clone();
            assert_eq!(rows.len(), count, "{key}");
            rows
        };
        for row in rows("of_mean", 3) {
            // Differences are in units of the standard deviation, whose error is 1 / √n.
            let error = 1.0 / number(&row[1]).sqrt();
            close(
                plan.of_mean(number(&row[0]), error),
                &row[2],
                "power of a mean",
            );
        }
        for row in rows("items", 3) {
            let found = plan.items_needed(number(&row[0]), 0.1, 100);
            assert_eq!(found, Some(row[1].as_u64().unwrap() as usize));
        }
        for row in rows("of_flips", 4) {
            let n = row[0].as_u64().unwrap() as usize;
            let found = plan.of_flips(n, number(&row[1]), number(&row[2]));
            close(found, &row[3], &format!("power of {n} items"));
        }
        let n = plan.items_needed_by_flips(0.08, 0.2).unwrap();
        assert!(plan.of_flips(n, 0.14, 0.06) >= plan.power);
        assert!(plan.of_flips(n - 1, 0.14, 0.06) < plan.power);
        let least = plan.detectable_by_flips(553, 0.2).unwrap();
        let at = |d: f64| plan.of_flips(553, 0.1 + d / 2.0, 0.1 - d / 2.0);
        assert!(at(least) >= plan.power && at(least - 1e-3) < plan.power);
    }
}

/// Effects of a difference that can only be had by more flips than there were: the flips grow with it.
#[test]
fn what_no_number_of_items_shows_is_none() {
    let plan = Plan {
        level: 0.05,
        power: 0.8,
        one_sided: false,
    };
    assert_eq!(plan.detectable(0.0), None);
    // Five flips of five items: p = 2 / 2^5 = 0.0625 is no evidence.
    assert_eq!(plan.detectable_by_flips(5, 0.2), None);
    assert!(plan.detectable_by_flips(12, 0.0).unwrap() > 0.5);
    assert_eq!(plan.items_needed(0.0, 0.1, 100), None);
    assert_eq!(plan.items_needed_by_flips(0.0, 0.1), None);
}
