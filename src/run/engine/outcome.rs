//! What one execution of the first stages did.

use std::ops::AddAssign;

/// How an execution ended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Outputs that were already good.
    pub done_before: usize,
    /// Outputs that were made.
    pub generated: usize,
    /// Outputs that could not be made.
    pub generate_failed: usize,
    /// Observations that were made: one observer's look at one output each.
    pub observed: usize,
    /// Observations that failed.
    pub observe_failed: usize,
    /// Whether it ended before all was done.
    pub interrupted: bool,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.done_before += other.done_before;
        self.generated += other.generated;
        self.generate_failed += other.generate_failed;
        self.observed += other.observed;
        self.observe_failed += other.observe_failed;
        self.interrupted |= other.interrupted;
    }
}

impl Outcome {
    /// Whether nothing was made or looked at, failures included.
    pub fn is_idle(&self) -> bool {
        self.generated + self.generate_failed + self.observed + self.observe_failed == 0
    }
}
