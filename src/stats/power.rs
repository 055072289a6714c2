//! The smallest difference that a test can detect, and the number of items that it needs.

use super::mcnemar::up_to;
use super::normal;
use statrs::distribution::{Binomial, BinomialError, Discrete, DiscreteCDF};

/// The plan of a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The significance level: the probability of a false alarm.
    pub level: f64,
    /// The power: the probability of detecting an existing difference.
    pub power: f64,
    /// Whether only one direction counts.
    pub one_sided: bool,
}

impl Plan {
    fn tail(self) -> f64 {
        if self.one_sided {
            self.level
        } else {
            self.level / 2.0
        }
    }

    fn distance(self) -> f64 {
        normal::quantile(1.0 - self.tail()) + normal::quantile(self.power)
    }

    /// The probability of detecting a difference of a mean whose standard error is `error`, in the direction
    /// of the difference.
    pub fn of_mean(self, difference: f64, error: f64) -> f64 {
        normal::cdf(difference.abs() / error - normal::quantile(1.0 - self.tail()))
    }

    /// The smallest difference of a mean that is detected with the planned power, by normal theory. `None`
    /// without spread.
    pub fn detectable(self, error: f64) -> Option<f64> {
        (error > 0.0).then(|| self.distance() * error)
    }

    /// The number of items that make `difference` detectable, if `n` items have the standard error `error`.
    pub fn items_needed(self, difference: f64, error: f64, n: usize) -> Option<usize> {
        let ratio = self.detectable(error)? / difference.abs();
        let needed = (n as f64 * ratio * ratio).ceil();
        (needed.is_finite() && needed < 1e12).then_some((needed as usize).max(2))
    }

    /// The probability that McNemar's exact test on `n` items detects, in the direction of the difference,
    /// that a share `lost` turns wrong and a share `gained` turns right. It is the sum over all numbers of
    /// flips, or comes from normal theory if more than a thousand flips are expected.
    pub fn of_flips(self, n: usize, lost: f64, gained: f64) -> f64 {
        const SUMMED: f64 = 1000.0;
        let (less, more) = (lost.min(gained), lost.max(gained));
        if n as f64 * (less + more) > SUMMED {
            let difference = more - less;
            let variance = less + more - difference * difference;
            return self.of_mean(difference, (variance / n as f64).sqrt());
        }
        self.sum_over_flips(n as u64, less, less + more)
            .unwrap_or(0.0)
    }

    fn sum_over_flips(self, n: u64, less: f64, flips: f64) -> Result<f64, BinomialError> {
        let number = Binomial::new(flips.min(1.0), n)?;
        let (mean, spread) = (n as f64 * flips, (n as f64 * flips).sqrt());
        let from = (mean - 6.0 * spread - 6.0).max(1.0) as u64;
        let to = ((mean + 6.0 * spread + 6.0) as u64).min(n);
        let mut power = 0.0;
        let mut critical = self.critical(from);
        for m in from..=to {
            // One more flip raises the number by at most one.
            let next = critical.map_or(0, |k| k + 1);
            if self.significant(next, m) {
                critical = Some(next);
            }
            if let Some(k) = critical {
                power += number.pmf(m) * Binomial::new((less / flips).min(1.0), m)?.cdf(k);
            }
        }
        Ok(power)
    }

    /// Whether at most `k` of `m` flips in the rarer direction are significant.
    fn significant(self, k: u64, m: u64) -> bool {
        up_to(k, m) <= self.tail()
    }

    /// The largest significant number of flips of the rarer kind among `m`.
    fn critical(self, m: u64) -> Option<u64> {
        let (mut low, mut high) = (0, m / 2 + 1);
        while low < high {
            let middle = (low + high) / 2;
            if self.significant(middle, m) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1)
    }

    /// The smallest difference of the share right that McNemar's exact test on `n` items detects with the
    /// planned power, if a share `flips` of the items changes (or more, if the difference is larger than
    /// that). `None` if no difference is detected.
    pub fn detectable_by_flips(self, n: usize, flips: f64) -> Option<f64> {
        let sees = |difference: f64| {
            let flips = flips.max(difference);
            self.of_flips(n, (flips + difference) / 2.0, (flips - difference) / 2.0) >= self.power
        };
        if !sees(1.0) {
            return None;
        }
        let (mut low, mut high) = (0.0, 1.0);
        while high - low > 1e-4 {
            let middle = (low + high) / 2.0;
            if sees(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(high)
    }

    /// The number of items that make `difference` of the share right detectable by McNemar's exact test, if a
    /// share `flips` of the items changes. `None` above a million.
    pub fn items_needed_by_flips(self, difference: f64, flips: f64) -> Option<usize> {
        const MOST: usize = 1_000_000;
        let difference = difference.abs();
        let flips = flips.max(difference);
        let enough = |n: usize| {
            self.of_flips(n, (flips + difference) / 2.0, (flips - difference) / 2.0) >= self.power
        };
        let mut high = 4;
        while high < MOST && !enough(high) {
            high *= 2;
        }
        let mut low = high / 2;
        while high - low > 1 {
            let middle = (low + high) / 2;
            if enough(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        (high < MOST && difference > 0.0).then_some(high)
    }
}
