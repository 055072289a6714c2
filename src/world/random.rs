//! The random numbers of the world.

use crate::stats::random::SplitMix64;

/// A stream of random choices.
#[derive(Debug, Clone)]
pub struct Random(SplitMix64);

impl Random {
    /// An independent stream for each pair.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(SplitMix64::new(seed, stream))
    }

    /// Uniform in `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.two_below(n)[0]
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        (self.0.bits() >> 11) as f64 / (1_u64 << 53) as f64 - probability < 0.0
    }

    /// One of a list that is not empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// `count` different ones of a list, in random order; all where it has no more.
    pub fn several<T: Copy>(&mut self, from: &[T], count: usize) -> Vec<T> {
        let mut left = from.to_vec();
        let count = count.min(left.len());
        for place in 0..count {
            let other = place + self.below(left.len() - place);
            left.swap(place, other);
        }
        left.truncate(count);
        left
    }
}
