//! Clusters and strata: the data of an interval or a test.

/// Sums over some outputs, from which one number is computed. Sums can be added, so that any part of the data
/// has its number.
pub trait Sums: Copy + Default + Send + Sync {
    /// The sums of both.
    fn plus(self, other: Self) -> Self;

    /// These sums without those of `other`.
    fn minus(self, other: Self) -> Self;

    /// The number. `None` if the denominator is zero.
    fn value(self) -> Option<f64>;
}

/// The sums of one run, which a test may exchange with those of another run.
pub trait Side: Sums {
    /// These sums if `mask` is all ones, and zero if it is all zeros.
    fn masked(self, mask: u64) -> Self;

    /// These sums multiplied by a factor.
    fn scaled(self, factor: f64) -> Self;

    /// Passes each of the sums to `see`.
    fn for_each_sum(self, see: &mut impl FnMut(f64));
}

/// Sums over the outputs of one item. The repeats of an item are not independent, so items are resampled.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cluster {
    /// Sum of the numerators.
    pub numerator: f64,
    /// Sum of the denominators.
    pub denominator: f64,
}

impl Sums for Cluster {
    #[inline]
    fn plus(self, other: Self) -> Self {
        Self {
            numerator: self.numerator + other.numerator,
            denominator: self.denominator + other.denominator,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            numerator: self.numerator - other.numerator,
            denominator: self.denominator - other.denominator,
        }
    }

    fn value(self) -> Option<f64> {
        (self.denominator > 0.0).then(|| self.numerator / self.denominator)
    }
}

impl Side for Cluster {
    #[inline]
    fn masked(self, mask: u64) -> Self {
        let masked = |number: f64| f64::from_bits(number.to_bits() & mask);
        Self {
            numerator: masked(self.numerator),
            denominator: masked(self.denominator),
        }
    }

    fn scaled(self, factor: f64) -> Self {
        Self {
            numerator: self.numerator * factor,
            denominator: self.denominator * factor,
        }
    }

    fn for_each_sum(self, see: &mut impl FnMut(f64)) {
        see(self.numerator);
        see(self.denominator);
    }
}

/// One item in two runs. Its number is the later value minus the earlier value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pair<S = Cluster> {
    /// The earlier run.
    pub before: S,
    /// The later run.
    pub after: S,
}

impl<S: Sums> Sums for Pair<S> {
    #[inline]
    fn plus(self, other: Self) -> Self {
        Self {
            before: self.before.plus(other.before),
            after: self.after.plus(other.after),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            before: self.before.minus(other.before),
            after: self.after.minus(other.after),
        }
    }

    fn value(self) -> Option<f64> {
        Some(self.after.value()? - self.before.value()?)
    }
}

/// The sums of one stratum.
pub fn total<S: Sums>(clusters: &[S]) -> S {
    clusters
        .iter()
        .fold(S::default(), |sum, one| sum.plus(*one))
}

/// Σ numerators / Σ denominators. `None` without a denominator. For pairs, it is the difference of the two
/// ratios.
pub fn ratio<S: Sums>(clusters: &[S]) -> Option<f64> {
    total(clusters).value()
}

/// The unweighted mean of the strata's ratios, over the strata that have one. With one stratum, it is the
/// ratio of that stratum.
pub fn mean_of_ratios<S: Sums>(strata: &[Vec<S>]) -> Option<f64> {
    let ratios: Vec<f64> = strata.iter().filter_map(|s| ratio(s)).collect();
    (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
}
