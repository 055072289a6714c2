//! Intervals of a proportion from independent trials.

use super::normal;
use statrs::distribution::{Beta, ContinuousCDF};

/// Wilson's score interval. A share `share` of `trials` succeeded. The number of trials may be a fraction, as
/// effective numbers are.
pub fn wilson(share: f64, trials: f64, level: f64) -> (f64, f64) {
    let z = normal::quantile(0.5 + level / 2.0);
    let z2 = z * z;
    let centre = (share + z2 / (2.0 * trials)) / (1.0 + z2 / trials);
    let spread = share * (1.0 - share) / trials + z2 / (4.0 * trials * trials);
    let half = z / (1.0 + z2 / trials) * spread.sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// The exact interval of Clopper and Pearson (1934), which contains the true value at least as often as
/// `level` says.
pub fn clopper_pearson(successes: u64, trials: u64, level: f64) -> (f64, f64) {
    let outside = (1.0 - level) / 2.0;
    let failures = trials.saturating_sub(successes);
    let quantile = |a: u64, b: u64, p: f64| {
        Beta::new(a as f64, b as f64).map_or(f64::NAN, |beta| beta.inverse_cdf(p))
    };
    let low = match successes {
        0 => 0.0,
        _ => quantile(successes, failures + 1, outside),
    };
    let high = match failures {
        0 => 1.0,
        _ => quantile(successes + 1, failures, 1.0 - outside),
    };
    (low, high)
}
