//! Numbers that are not averages, but functions of sums over all outputs.

use super::cluster::{Side, Sums};

/// The terms that one output adds, or the sums over several outputs.
pub type Terms = [f64; 6];

/// A number that is computed from sums over outputs.
pub trait Formula: Sync {
    /// The number of these sums. `None` if they contain too little.
    fn value(&self, sums: &Terms) -> Option<f64>;
}

/// Sums over some outputs, with the formula that computes a number from them. The default is empty.
#[derive(Clone, Copy, Default)]
pub struct Pool<'a> {
    terms: Terms,
    formula: Option<&'a dyn Formula>,
}

impl<'a> Pool<'a> {
    /// Sums with their formula.
    pub fn new(terms: Terms, formula: &'a dyn Formula) -> Self {
        Self {
            terms,
            formula: Some(formula),
        }
    }

    fn with(self, other: Self, each: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            terms: std::array::from_fn(|at| each(self.terms[at], other.terms[at])),
            formula: self.formula.or(other.formula),
        }
    }
}

impl Sums for Pool<'_> {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    fn minus(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }

    fn value(self) -> Option<f64> {
        self.formula?.value(&self.terms)
    }
}

impl Side for Pool<'_> {
    fn masked(self, mask: u64) -> Self {
        Self {
            terms: self.terms.map(|term| f64::from_bits(term.to_bits() & mask)),
            formula: self.formula,
        }
    }

    fn scaled(self, factor: f64) -> Self {
        Self {
            terms: self.terms.map(|term| term * factor),
            formula: self.formula,
        }
    }

    fn for_each_sum(self, see: &mut impl FnMut(f64)) {
        self.terms.into_iter().for_each(see);
    }
}
