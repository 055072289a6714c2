//! McNemar's exact test of paired outcomes that are right or wrong.

use super::proportion::clopper_pearson;
use super::tails::Tails;
use statrs::distribution::{Binomial, DiscreteCDF};

/// The numbers of items that were right in only one of the two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Flips {
    /// Wrong before, right after.
    pub gained: u64,
    /// Right before, wrong after.
    pub lost: u64,
}

impl Flips {
    /// The number of all flips.
    pub fn total(self) -> u64 {
        self.gained + self.lost
    }

    /// The ratio of gained to lost, with its exact interval from that of the share gained. `None` without a
    /// flip. The upper bound and the ratio itself may be infinite.
    pub fn odds_ratio(self, level: f64) -> Option<(f64, f64, f64)> {
        let odds = |share: f64| share / (1.0 - share);
        let (low, high) = clopper_pearson(self.gained, self.total(), level);
        let ratio = self.gained as f64 / self.lost as f64;
        (self.total() > 0).then(|| (ratio, odds(low), odds(high)))
    }
}

/// Under the hypothesis that nothing changed, a flip has either direction with probability ½.
pub fn test(flips: Flips) -> Tails {
    let lower = up_to(flips.gained, flips.total());
    let upper = up_to(flips.lost, flips.total());
    Tails {
        lower,
        upper,
        both: (2.0 * lower.min(upper)).min(1.0),
        exact: true,
    }
}

/// The probability of at most `k` heads in `n` tosses of a fair coin.
pub fn up_to(k: u64, n: u64) -> f64 {
    Binomial::new(0.5, n).map_or(1.0, |tosses| tosses.cdf(k))
}
