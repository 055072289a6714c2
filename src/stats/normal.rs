//! The standard normal distribution.

use statrs::distribution::{ContinuousCDF, Normal};

/// Half the width of a 95 % interval, in standard errors.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// The two-sided p value of `other` under a normal distribution around `value` whose 95 % interval this is.
/// The half of the interval on the side of `other` counts. `None` if the interval does not hold the value.
pub fn p_from_interval(value: f64, (low, high): (f64, f64), other: f64) -> Option<f64> {
    let distance = (other - value).abs();
    let half = if other < value {
        value - low
    } else {
        high - value
    };
    if !half.is_finite() || half < 0.0 {
        return None;
    }
    if distance == 0.0 {
        return Some(1.0);
    }
    // A half of no width leaves no room for another value.
    Some(2.0 * cdf(-distance / half * Z_95))
}

/// The probability of a value up to `x`.
pub(super) fn cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// The value that is exceeded with probability 1 − `p`.
pub(super) fn quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}
