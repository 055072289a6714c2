//! The standard normal distribution.

use statrs::distribution::{ContinuousCDF, Normal};

/// Half the width of a 95 % interval, in standard errors.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// The probability of a value up to `x`.
pub(super) fn cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// The value that is exceeded with probability 1 − `p`.
pub(super) fn quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}
