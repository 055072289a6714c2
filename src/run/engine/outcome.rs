//! What one execution of the first stages did.

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

impl Outcome {
    /// Whether nothing was made or looked at, failures included.
    pub fn is_idle(&self) -> bool {
        self.generated + self.generate_failed + self.observed + self.observe_failed == 0
    }
}
