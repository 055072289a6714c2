//! A scale with round ticks, linear or logarithmic.

/// From data to a place between 0 and 1, and the ticks on the way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<(f64, String)>,
}

/// Larger values are no measurements, and their differences overflow.
const HUGE: f64 = 1e100;

impl Axis {
    /// Linear, from the tick below all finite values to the one above, in about `steps` steps.
    pub(super) fn rounded(values: impl IntoIterator<Item = f64>, steps: usize) -> Self {
        let (low, high) = spread(range(values));
        let step = step(high - low, steps);
        let from = (low / step + 1e-9).floor();
        let to = (high / step - 1e-9).ceil();
        Self::linear(from * step, to * step, step)
    }

    /// Linear, from the least to the largest finite value, ticks in between.
    pub(super) fn tight(values: impl IntoIterator<Item = f64>, steps: usize) -> Self {
        let (low, high) = spread(range(values));
        Self::linear(low, high, step(high - low, steps))
    }

    fn linear(low: f64, high: f64, step: f64) -> Self {
        let (from, to) = (
            (low / step - 1e-9).ceil() as i64,
            (high / step + 1e-9).floor() as i64,
        );
        let ticks = (from..=to).map(|at| {
            let value = at as f64 * step;
            (value, text(value, step))
        });
        Self {
            low,
            high,
            log: false,
            ticks: ticks.collect(),
        }
    }

    /// Logarithmic where all finite values are positive and the largest is at least ten times the least; else
    /// linear.
    pub(super) fn wide(values: impl IntoIterator<Item = f64> + Clone, steps: usize) -> Self {
        let (low, high) = range(values.clone());
        if !(low > 0.0 && high >= 10.0 * low) {
            return Self::rounded(values, steps);
        }
        // Below three decades ticks at 1, 2 and 5, above that at powers of ten or of a thousand.
        let decades = (high / low).log10();
        let (factors, stride): (&[f64], i32) = match decades {
            ..3.0 => (&[1.0, 2.0, 5.0], 1),
            3.0..7.0 => (&[1.0], 1),
            _ => (&[1.0], (decades / 4.0).ceil() as i32),
        };
        let powers = low.log10().floor() as i32 - stride..=high.log10().ceil() as i32 + stride;
        let all: Vec<f64> = powers
            .filter(|power| power % stride == 0)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
            .collect();
        let below = all.iter().rposition(|tick| *tick <= low * 1.0001);
        let above = all.iter().position(|tick| *tick >= high * 0.9999);
        let kept = &all[below.unwrap_or(0)..=above.unwrap_or(all.len() - 1)];
        Self {
            low: kept.first().copied().unwrap_or(low),
            high: kept.last().copied().unwrap_or(high),
            log: true,
            ticks: kept
                .iter()
                .map(|tick| (*tick, text(*tick, *tick)))
                .collect(),
        }
    }

    /// The same scale with ticks of the caller's own; those outside are left out.
    pub(super) fn with_ticks(mut self, ticks: &[(f64, String)]) -> Self {
        let inside = ticks
            .iter()
            .filter(|(value, _)| (self.low..=self.high).contains(value));
        self.ticks = inside.cloned().collect();
        self
    }

    /// The position of a value: 0 at the low end, 1 at the high end. Values beyond an end are put at that
    /// end.
    pub(super) fn position_of(&self, value: f64) -> f64 {
        let place = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        // NaN has a position, too, so that it does not spoil a drawing.
        if place.is_nan() {
            return 0.0;
        }
        place.clamp(0.0, 1.0)
    }

    /// Values and texts, ascending.
    pub(super) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }
}

/// The least and the largest of the finite values. 0 and 1 if there are none.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|value| value.abs() < HUGE);
    let found = finite.fold(None, |found: Option<(f64, f64)>, value| {
        Some(found.map_or((value, value), |(low, high)| {
            (low.min(value), high.max(value))
        }))
    });
    found.unwrap_or((0.0, 1.0))
}

/// Room around values that are all the same.
fn spread((low, high): (f64, f64)) -> (f64, f64) {
    let least = (low.abs().max(high.abs()) * 1e-9).max(1e-12);
    if high - low > least {
        return (low, high);
    }
    let room = match low.abs() {
        0.0 => 1.0,
        size => size * 0.1,
    };
    (low - room, high + room)
}

/// The round step nearest to the one that cuts `span` into so many steps.
fn step(span: f64, steps: usize) -> f64 {
    let rough = span / steps.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let factor = match rough / power {
        ..1.5 => 1.0,
        ..2.2 => 2.0,
        ..3.5 => 2.5,
        ..7.5 => 5.0,
        _ => 10.0,
    };
    factor * power
}

/// A tick as printed, with as many decimals as the step has.
fn text(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let (unit, suffix) = match step {
        1e15.. => return scientific(value),
        1e9.. => (1e9, "G"),
        1e6.. => (1e6, "M"),
        1e3.. => (1e3, "k"),
        1e-4.. => (1.0, ""),
        _ => return scientific(value),
    };
    let step = step / unit;
    let decimals = (0..8).find(|decimals| {
        let whole = step * 10f64.powi(*decimals);
        (whole - whole.round()).abs() < 1e-6 * whole
    });
    let decimals = decimals.unwrap_or(8) as usize;
    format!("{:.decimals$}{suffix}", value / unit).replace('-', "−")
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.1e}");
    text.replace(".0e", "e").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks().iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_reach_around_the_values() {
        assert_eq!(
            texts(&Axis::rounded([0.0, 1.0], 4)),
            ["0", "0.25", "0.50", "0.75", "1.00"]
        );
        assert_eq!(
            texts(&Axis::rounded([-31.0, 4.0], 4)),
            ["−40", "−30", "−20", "−10", "0", "10"]
        );
        assert_eq!(
            texts(&Axis::rounded([0.0, 40_000.0], 4)),
            ["0", "10k", "20k", "30k", "40k"]
        );
        assert_eq!(
            texts(&Axis::rounded([2.5, 2.5], 4)),
            ["2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8"]
        );
        assert_eq!(texts(&Axis::rounded([f64::NAN, f64::INFINITY], 4)).len(), 5);
        assert_eq!(
            texts(&Axis::tight([1.0, 12.0], 4)),
            ["2.5", "5.0", "7.5", "10.0"]
        );
        assert_eq!(
            texts(&Axis::rounded([0.0, 3e-5], 3)),
            ["0", "1e−5", "2e−5", "3e−5"]
        );
        for top in [0.013, 0.31, 0.87, 4.2, 63.0, 99.9] {
            let axis = Axis::rounded([0.0, top], 4);
            assert!(
                axis.ticks().len() <= 7 && axis.high >= top,
                "{top}: {axis:?}"
            );
        }
    }

    #[test]
    fn costs_over_decades_take_a_logarithmic_axis() {
        let axis = Axis::wide([0.3, 80.0], 4);
        assert_eq!(
            texts(&axis),
            ["0.2", "0.5", "1", "2", "5", "10", "20", "50", "100"]
        );
        assert!((axis.position_of(0.2), axis.position_of(100.0)) == (0.0, 1.0));
        assert_eq!(
            texts(&Axis::wide([2e6, 5e10], 4)),
            ["1M", "10M", "100M", "1G", "10G", "100G"]
        );
        assert_eq!(
            texts(&Axis::wide([0.0, 1e9], 4)).len(),
            5,
            "zero has no logarithm"
        );
        let far = Axis::wide([1e-9, 1e12], 4);
        assert!(far.ticks().len() < 7, "{far:?}");
    }
}
