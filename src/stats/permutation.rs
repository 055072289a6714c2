//! The paired permutation test: under the hypothesis that nothing changed, an item's two results may change places.

use super::cluster::{Pair, Sums, mean_of_ratios, total};
use super::random::SplitMix64;
use super::tails::Tails;
use rayon::prelude::*;

/// Up to so many items whose results differ, all their 2^n exchanges are counted.
const EXACT_UP_TO: usize = 14;

/// Tests the mean of the strata's differences of ratios. Beyond what can be counted, `draws` random exchanges are
/// made, the observed one counts as one more (Phipson and Smyth 2010), and the seed settles them. None when no stratum has
/// a value.
pub fn test(strata: &[Vec<Pair>], draws: usize, seed: u64) -> Option<Tails> {
    let observed = mean_of_ratios(strata)?;
    let exchanges: Vec<Stratum> = strata.iter().filter_map(|s| Stratum::new(s)).collect();
    let differing: usize = exchanges.iter().map(|stratum| stratum.steps.len()).sum();
    let exact = differing <= EXACT_UP_TO;
    let cases = if exact { 1 << differing } else { draws };
    // Sums in another order differ in their last digits: what is that close counts as equal.
    let close = 1e-9 * observed.abs().max(1e-6);
    let count = |index: usize| -> [usize; 3] {
        let value = match exact {
            true => mean(&exchanges, &mut Counted(index as u64)),
            false => mean(&exchanges, &mut Drawn::new(seed, index as u64)),
        };
        [
            usize::from(value <= observed + close),
            usize::from(value >= observed - close),
            usize::from(value.abs() >= observed.abs() - close),
        ]
    };
    let counts = (0..cases)
        .into_par_iter()
        .map(count)
        .reduce(|| [0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
    let own = usize::from(!exact);
    let [lower, upper, both] = counts.map(|n| (n + own) as f64 / (cases + own) as f64);
    Some(Tails {
        lower,
        upper,
        both,
        exact,
    })
}

/// One stratum as exchanges see it.
struct Stratum {
    total: Pair,
    /// What an exchange of each differing item adds to the earlier run's sums and takes from the later one's.
    steps: Vec<[f64; 2]>,
}

impl Stratum {
    /// None without a value: the stratum is then left out of the mean.
    fn new(pairs: &[Pair]) -> Option<Self> {
        let total = total(pairs);
        total.value()?;
        let step = |pair: &Pair| {
            let step = pair.after.minus(pair.before);
            [step.numerator, step.denominator]
        };
        let steps = pairs.iter().map(step).filter(|step| *step != [0.0, 0.0]);
        Some(Self {
            total,
            steps: steps.collect(),
        })
    }

    fn value(&self, coins: &mut impl Coins) -> f64 {
        let mut moved = [0.0; 2];
        for chunk in self.steps.chunks(64) {
            let mut bits = coins.toss(chunk.len());
            for step in chunk {
                // All ones or all zeros, without a branch that cannot be foreseen.
                let mask = (bits & 1).wrapping_neg();
                moved[0] += f64::from_bits(step[0].to_bits() & mask);
                moved[1] += f64::from_bits(step[1].to_bits() & mask);
                bits >>= 1;
            }
        }
        let (before, after) = (self.total.before, self.total.after);
        (after.numerator - moved[0]) / (after.denominator - moved[1])
            - (before.numerator + moved[0]) / (before.denominator + moved[1])
    }
}

fn mean(strata: &[Stratum], coins: &mut impl Coins) -> f64 {
    let sum: f64 = strata.iter().map(|stratum| stratum.value(coins)).sum();
    sum / strata.len() as f64
}

/// Which items change places.
trait Coins {
    /// A bit for each of up to 64 items.
    fn toss(&mut self, count: usize) -> u64;
}

/// The bits of one number.
struct Counted(u64);

impl Coins for Counted {
    fn toss(&mut self, count: usize) -> u64 {
        let bits = self.0;
        self.0 = self.0.checked_shr(count as u32).unwrap_or(0);
        bits
    }
}

/// Random bits.
struct Drawn(SplitMix64);

impl Drawn {
    fn new(seed: u64, stream: u64) -> Self {
        Self(SplitMix64::new(seed, stream))
    }
}

impl Coins for Drawn {
    fn toss(&mut self, _: usize) -> u64 {
        self.0.next()
    }
}
