//! The cost of calls, and a budget that ends a run before it is exceeded.

use super::reply::Usage;
use crate::text::count::counted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Prices per million tokens, in any currency. No prices are built in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Price of input tokens.
    pub input: f64,
    /// Price of cached input tokens (default: the same as `input`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// Price of output tokens.
    pub output: f64,
}

impl Prices {
    /// The cost of one call.
    pub fn cost(&self, usage: Usage) -> f64 {
        let input = usage.input.unwrap_or(0);
        let cached = usage.cached.min(input);
        let rate = self.cached_input.unwrap_or(self.input);
        let fresh = (input - cached) as f64 * self.input;
        (fresh + cached as f64 * rate + usage.output.unwrap_or(0) as f64 * self.output) / 1e6
    }
}

/// Adds up the tokens and the cost of one run.
#[derive(Debug, Default)]
pub struct Ledger {
    prices: Option<Prices>,
    budget: Option<f64>,
    sums: Mutex<Sums>,
}

/// What a run has spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Sums {
    /// Number of calls.
    pub calls: u64,
    /// Number of input tokens.
    pub input_tokens: u64,
    /// Number of input tokens from the server's cache.
    pub cached_input_tokens: u64,
    /// Number of output tokens.
    pub output_tokens: u64,
    /// The cost in the currency of the prices, or 0 without prices.
    pub cost: f64,
    /// What other shards of the run had spent when this execution began. It counts against the budget.
    #[serde(skip_serializing_if = "is_zero")]
    pub cost_of_other_shards: f64,
    #[serde(skip)]
    in_flight: u64,
}

fn is_zero(cost: &f64) -> bool {
    *cost == 0.0
}

impl Ledger {
    /// A ledger without calls.
    pub fn new(prices: Option<Prices>, budget: Option<f64>) -> Self {
        Self {
            prices,
            budget,
            sums: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts again with what was spent before, here and in other shards.
    pub fn restart(
        &self,
        paid: impl Iterator<Item = Usage>,
        elsewhere: impl Iterator<Item = Usage>,
    ) {
        let cost = |usage| self.prices.map_or(0.0, |prices| prices.cost(usage));
        *self.lock() = Sums {
            cost_of_other_shards: elsewhere.map(cost).sum(),
            ..Sums::default()
        };
        paid.for_each(|usage| self.add_call(usage));
    }

    /// Adds a finished call.
    pub fn add_call(&self, usage: Usage) {
        let mut sums = self.lock();
        sums.calls += 1;
        sums.input_tokens += usage.input.unwrap_or(0);
        sums.cached_input_tokens += usage.cached;
        sums.output_tokens += usage.output.unwrap_or(0);
        sums.cost += self.prices.map_or(0.0, |prices| prices.cost(usage));
    }

    /// Permission for one more call, until the guard is dropped. Each call on its way counts with the mean
    /// cost of the earlier calls.
    ///
    /// # Errors
    /// Fails if the budget is used up. The text gives the numbers.
    pub fn permit_call(&self) -> Result<Leave<'_>, String> {
        let mut sums = self.lock();
        if let Some(budget) = self.budget {
            let mean = sums.cost / sums.calls.max(1) as f64;
            let spent = sums.cost + sums.cost_of_other_shards;
            if spent + mean * sums.in_flight as f64 >= budget {
                let others = match sums.cost_of_other_shards {
                    0.0 => String::new(),
                    cost => format!(", and those of other shards {cost:.6}"),
                };
                return Err(format!(
                    "the budget of {budget} is used up: {} cost {:.6}{others}",
                    counted(usize::try_from(sums.calls).unwrap_or(usize::MAX), "call"),
                    sums.cost
                ));
            }
        }
        sums.in_flight += 1;
        Ok(Leave(self))
    }

    /// What was spent so far.
    pub fn sums(&self) -> Sums {
        *self.lock()
    }
}

/// A call on its way.
#[derive(Debug)]
pub struct Leave<'a>(&'a Ledger);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut sums = self.0.lock();
        sums.in_flight = sums.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: Prices = Prices {
        input: 2.0,
        cached_input: Some(0.5),
        output: 8.0,
    };

    fn usage(input: u64, cached: u64, output: u64) -> Usage {
        Usage {
            input: Some(input),
            cached,
            output: Some(output),
        }
    }

    #[test]
    fn input_at_hand_and_output_have_their_own_prices() {
        // 600 · 2 + 400 · 0.5 + 100 · 8 = 2200 millionths.
        assert!((PRICES.cost(usage(1000, 400, 100)) - 0.0022).abs() < 1e-12);
    }

    #[test]
    fn calls_in_flight_count_before_they_are_paid() {
        let ledger = Ledger::new(Some(PRICES), Some(0.0050));
        ledger.add_call(usage(1000, 400, 100));
        let first = ledger.permit_call().unwrap();
        // 0.0022 is spent, and as much is in flight. Only a third call would exceed the budget.
        let second = ledger.permit_call().unwrap();
        assert!(ledger.permit_call().unwrap_err().contains("0.005"));
        drop((first, second));
        assert!(ledger.permit_call().is_ok());
    }
}
