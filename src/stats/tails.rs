//! The p values of a test.

/// Probabilities, under the hypothesis that nothing changed, of a value at least as far away as the observed one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tails {
    /// At least as low.
    pub lower: f64,
    /// At least as high.
    pub upper: f64,
    /// At least as far away on either side.
    pub both: f64,
    /// Every case was counted; else a sample of them.
    pub exact: bool,
}
