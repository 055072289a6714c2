//! The random numbers of the world.

use crate::stats::random::SplitMix64;

/// A stream of random choices.
#[derive(Debug, Clone)]
pub struct Random(SplitMix64);

impl Random {
    /// A stream for a pair of numbers. The streams of different pairs are independent.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(SplitMix64::new(seed, stream))
    }

    /// A uniform number in `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.two_below(n)[0]
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        (self.0.bits() >> 11) as f64 / (1_u64 << 53) as f64 - probability < 0.0
    }

    /// A random value of a list, which must not be empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// `count` different values of a list, in random order. If the list has fewer values, returns all.
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
