//! Repeated timings of one phase.

use crate::cancel::Cancel;
use crate::model::Result;
use candle_core::Device;
use serde::Serialize;
use std::time::Instant;

/// Seconds of the measured repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Seconds {
    /// Number of timed repetitions.
    pub n: usize,
    /// The median.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Seconds {
    /// None without a measurement.
    pub fn summarize(mut all: Vec<f64>) -> Option<Self> {
        all.sort_by(f64::total_cmp);
        let (min, max) = (*all.first()?, *all.last()?);
        let middle = all.len() / 2;
        let median = match all.len() % 2 {
            0 => (all[middle - 1] + all[middle]) / 2.0,
            _ => all[middle],
        };
        Some(Self {
            n: all.len(),
            median,
            min,
            max,
        })
    }
}

/// How often a phase is repeated, and who hears of it.
pub struct Clock<'a> {
    /// Number of repetitions before the timed ones.
    pub warmup: usize,
    /// Number of timed repetitions.
    pub repeats: usize,
    /// The device of the network.
    pub device: &'a Device,
    /// The flag that ends the measurement.
    pub cancel: &'a Cancel,
    /// Told after every repetition: phase, repetitions done, all repetitions.
    pub on_done: &'a dyn Fn(&str, usize, usize),
}

impl Clock<'_> {
    /// Times `work`; what it gives is dropped outside the measured time. `None` if Ctrl-C came before a
    /// measurement.
    ///
    /// # Errors
    /// Fails when `work` fails.
    pub fn time<T>(
        &self,
        phase: &str,
        mut work: impl FnMut() -> Result<T>,
    ) -> Result<Option<Seconds>> {
        let mut seconds = Vec::with_capacity(self.repeats);
        let all = self.warmup + self.repeats;
        for number in 0..all {
            if self.cancel.is_raised() {
                break;
            }
            self.device.synchronize()?;
            let start = Instant::now();
            let made = work()?;
            self.device.synchronize()?;
            let took = start.elapsed().as_secs_f64();
            drop(made);
            if number >= self.warmup {
                seconds.push(took);
            }
            (self.on_done)(phase, number + 1, all);
        }
        Ok(Seconds::summarize(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let seconds = Seconds::summarize(vec![4.0, 1.0, 2.0, 10.0]).unwrap();
        assert_eq!((seconds.min, seconds.median, seconds.max), (1.0, 3.0, 10.0));
        assert_eq!(Seconds::summarize(vec![2.0, 9.0, 1.0]).unwrap().median, 2.0);
        assert!(Seconds::summarize(Vec::new()).is_none());
    }
}
