//! The p values of a test.

/// Probabilities, under the hypothesis that nothing changed, of a value at least as extreme as the observed
/// one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tails {
    /// The probability of a value at least as low.
    pub lower: f64,
    /// The probability of a value at least as high.
    pub upper: f64,
    /// The probability of a value at least as far away in either direction.
    pub both: f64,
    /// Whether every case was counted. Otherwise, cases were sampled.
    pub exact: bool,
}
