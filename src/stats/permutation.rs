//! The paired permutation test. Under the hypothesis that nothing changed, the two results of an item may be
//! exchanged.

use super::cluster::{Pair, Side, Sums, mean_of_ratios, total};
use super::random::SplitMix64;
use super::tails::Tails;
use rayon::prelude::*;

/// Up to this number of items with different results, all their 2^n exchanges are counted.
const EXACT_UP_TO: usize = 14;

/// Tests the mean of the strata's differences. `None` if no stratum has a value.
pub fn test<S: Side>(strata: &[Vec<Pair<S>>], draws: usize, seed: u64) -> Option<Tails> {
    let observed = mean_of_ratios(strata)?;
    let exchanges: Vec<Stratum<S>> = strata.iter().filter_map(|s| Stratum::new(s)).collect();
    let differing = exchanges.iter().map(|stratum| stratum.steps.len()).sum();
    let value = |coins: &mut Coins| {
        let each = exchanges.iter().map(|stratum| stratum.value(coins));
        let sum: Option<f64> = each.sum();
        Some(sum? / exchanges.len() as f64)
    };
    Some(of_statistic(observed, differing, draws, seed, value))
}

/// Tests any difference of two runs, whose observed value is `observed`. `value` computes it when some of the
/// `differing` items are exchanged, as the coins say. If there are too many exchanges to count, `draws`
/// random exchanges are made, and the observed one counts as one more (Phipson and Smyth 2010). The seed
/// determines them. Exchanges without a value are left out.
pub fn of_statistic(
    observed: f64,
    differing: usize,
    draws: usize,
    seed: u64,
    value: impl Fn(&mut Coins) -> Option<f64> + Sync,
) -> Tails {
    let exact = differing <= EXACT_UP_TO;
    let cases = if exact { 1 << differing } else { draws };
    // Sums in another order differ in their last digits, so values this close count as equal.
    let close = 1e-9 * observed.abs().max(1e-6);
    let count = |index: usize| -> [usize; 4] {
        let mut coins = if exact {
            Coins::Counted(index as u64)
        } else {
            Coins::Drawn(SplitMix64::new(seed, index as u64))
        };
        value(&mut coins).map_or([0; 4], |value| {
            [
                usize::from(value <= observed + close),
                usize::from(value >= observed - close),
                usize::from(value.abs() >= observed.abs() - close),
                1,
            ]
        })
    };
    let counts = (0..cases)
        .into_par_iter()
        .map(count)
        .reduce(|| [0; 4], |a, b| std::array::from_fn(|at| a[at] + b[at]));
    let own = usize::from(!exact);
    let [lower, upper, both, made] = counts.map(|n| n + own);
    let share = |count: usize| count as f64 / made as f64;
    Tails {
        lower: share(lower),
        upper: share(upper),
        both: share(both),
        exact,
    }
}

/// One stratum, prepared for exchanges.
struct Stratum<S> {
    total: Pair<S>,
    /// What an exchange of each differing item adds to the earlier run's sums and subtracts from the later
    /// run's sums.
    steps: Vec<S>,
}

impl<S: Side> Stratum<S> {
    /// `None` without a value. The mean then leaves out the stratum.
    fn new(pairs: &[Pair<S>]) -> Option<Self> {
        let total = total(pairs);
        total.value()?;
        let steps = pairs.iter().map(|pair| pair.after.minus(pair.before));
        Some(Self {
            total,
            steps: steps.filter(differs).collect(),
        })
    }

    fn value(&self, coins: &mut Coins) -> Option<f64> {
        let mut moved = S::default();
        for chunk in self.steps.chunks(64) {
            let mut bits = coins.toss(chunk.len());
            for step in chunk {
                // All ones or all zeros, without a branch that the processor cannot predict.
                moved = moved.plus(step.masked((bits & 1).wrapping_neg()));
                bits >>= 1;
            }
        }
        let (before, after) = (self.total.before, self.total.after);
        Some(after.minus(moved).value()? - before.plus(moved).value()?)
    }
}

fn differs<S: Side>(step: &S) -> bool {
    let mut differs = false;
    step.for_each_sum(&mut |number| differs |= number != 0.0);
    differs
}

/// Decides which items are exchanged.
pub enum Coins {
    /// The bits of one number.
    Counted(u64),
    /// Random bits.
    Drawn(SplitMix64),
}

impl Coins {
    /// One bit for each of up to 64 items.
    pub fn toss(&mut self, count: usize) -> u64 {
        match self {
            Self::Counted(number) => {
                let bits = *number;
                *number = number.checked_shr(count as u32).unwrap_or(0);
                bits
            }
            Self::Drawn(random) => random.bits(),
        }
    }
}
