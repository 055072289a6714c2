//! Leave-one-out: the standard error of a mean of ratios, and its skewness.

use super::cluster::{Sums, total};

/// The result of leaving out each cluster in turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jackknife {
    /// The standard error of the mean of the strata's ratios. For a plain mean, it is s / √n.
    pub standard_error: f64,
    /// The acceleration of the BCa interval (Efron and Tibshirani 1993, equation 14.15), with moments summed
    /// over the strata. It is 0 without spread.
    pub acceleration: f64,
}

/// `None` if no stratum has two clusters.
pub fn jackknife<S: Sums>(strata: &[Vec<S>]) -> Option<Jackknife> {
    let counted = strata.iter().filter(|s| total(s).value().is_some()).count();
    let weight = 1.0 / counted.max(1) as f64;
    let moments: Vec<Moments> = strata.iter().filter_map(|s| moments(s, weight)).collect();
    let sum = |of: fn(&Moments) -> f64| moments.iter().map(of).sum::<f64>();
    let second = sum(|m| m.second);
    let acceleration = if second > 0.0 {
        sum(|m| m.third) / (6.0 * second.powf(1.5))
    } else {
        0.0
    };
    (!moments.is_empty()).then(|| Jackknife {
        standard_error: sum(|m| m.second * m.n / (m.n - 1.0)).sqrt(),
        acceleration,
    })
}

/// Sums of powers of the clusters' influences on the mean, in one stratum.
struct Moments {
    n: f64,
    second: f64,
    third: f64,
}

fn moments<S: Sums>(stratum: &[S], weight: f64) -> Option<Moments> {
    let all = total(stratum);
    let without = stratum.iter().filter_map(|one| all.minus(*one).value());
    let values: Vec<f64> = without.map(|value| value * weight).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let influences = values.iter().map(|value| (n - 1.0) * (mean - value) / n);
    let (second, third) = influences.fold((0.0, 0.0), |(second, third), one| {
        (second + one * one, third + one * one * one)
    });
    (values.len() > 1).then_some(Moments { n, second, third })
}
