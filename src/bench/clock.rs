//! Repeated timings of one phase.

use crate::cancel::Cancel;
use crate::model::Result;
use candle_core::Device;
use serde::Serialize;
use std::time::Instant;

/// A summary of the measured seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Seconds {
    /// The number of measurements.
    pub n: usize,
    /// The median, in seconds.
    pub median: f64,
    /// The shortest time, in seconds.
    pub min: f64,
    /// The longest time, in seconds.
    pub max: f64,
}

impl Seconds {
    /// The summary of measured seconds. `None` without a measurement.
    pub fn summarise(mut all: Vec<f64>) -> Option<Self> {
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

/// How often a phase is repeated, and a function that is called after each repetition.
pub struct Clock<'a> {
    /// The number of repetitions before those that are measured.
    pub warmup: usize,
    /// The number of repetitions that are measured.
    pub repeats: usize,
    /// The device on which the work runs.
    pub device: &'a Device,
    /// Ends the repetitions early.
    pub cancel: &'a Cancel,
    /// Called after each repetition with the phase, the number of finished repetitions and the number of all
    /// repetitions.
    pub on_done: &'a dyn Fn(&str, usize, usize),
}

impl Clock<'_> {
    /// Measures the time of `work`. Its result is dropped outside the measured time. `None` if Ctrl-C was
    /// pressed before a measurement.
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
        Ok(Seconds::summarise(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let seconds = Seconds::summarise(vec![4.0, 1.0, 2.0, 10.0]).unwrap();
        assert_eq!((seconds.min, seconds.median, seconds.max), (1.0, 3.0, 10.0));
        assert_eq!(Seconds::summarise(vec![2.0, 9.0, 1.0]).unwrap().median, 2.0);
        assert!(Seconds::summarise(Vec::new()).is_none());
    }
}
