//! The level at which half is lost, and what two models share, in words.

use super::curve::{Curve, Curves, SEED};
use super::pair::NoisePair;
use crate::stats::ladder::Half;
use crate::stats::shared::{FEWEST, Shared};

impl Curves {
    /// The level at which half is lost, in a sentence for each kind of noise.
    pub(super) fn in_words(&self) -> Vec<String> {
        let several = self.0.len() > 1;
        let sentences = self.0.iter().map(|(kind, curve)| {
            let kind = if several {
                format!(" ({kind})")
            } else {
                String::new()
            };
            curve.in_words(&kind)
        });
        sentences.collect()
    }
}

impl Curve {
    fn in_words(&self, kind: &str) -> String {
        let (half, ends) = self.recognised.half(self.chance, SEED);
        let highest = self.highest();
        match half {
            Half::Undefined => format!(
                "No more than chance is recognised without noise{kind}, so no level loses half of it."
            ),
            half => format!(
                "Half of what is recognised without noise{kind} is lost at level {}.",
                level(half, ends, highest)
            ),
        }
    }
}

impl NoisePair {
    /// How far apart both models lose half, and what they share, in sentences. The names are those of the
    /// models.
    pub fn in_words(&self, kind: &str, [restorer, reader]: [&str; 2]) -> String {
        let [restored, read] = self
            .halves
            .map(|(half, ends)| level(half, ends, self.highest));
        let gap = self.gap.map_or_else(String::new, |gap| {
            let interval = interval(self.gap_interval, distance);
            format!("; the gap is {}{interval}", distance(gap))
        });
        let levels = format!(
            "{restorer} restores and {reader} reads the same noise ({kind}): half is lost at level {restored} and at level {read}{gap}."
        );
        let shared = match &self.shared {
            None => "There is nothing that both name wrongly.".to_owned(),
            Some(shared) => in_common(shared),
        };
        format!("{levels} {shared}")
    }
}

/// What two models share beyond chance, in per cent, with its interval and its test.
pub fn excess_in_words(shared: &Shared) -> String {
    let points = |share: f64| format!("{:+.1}", 100.0 * share);
    let test = match shared.p {
        Some(p) => format!(", p {p:.4}"),
        None => format!(", fewer than {FEWEST} and so without a test"),
    };
    format!(
        "{} points{}{test}",
        points(shared.observed - shared.expected),
        interval(shared.excess_interval, points)
    )
}

fn in_common(shared: &Shared) -> String {
    format!(
        "Of {} that both name wrongly, {:.1} % have the same wrong name and chance is {:.1} %: {}.",
        shared.n,
        100.0 * shared.observed,
        100.0 * shared.expected,
        excess_in_words(shared)
    )
}

/// A level with its interval.
fn level(half: Half, ends: Option<[f64; 2]>, highest: f64) -> String {
    let number = |value: f64| number(value, highest);
    match half.number() {
        None => "unknown (no more than chance is recognised without noise)".to_owned(),
        Some(at) => format!("{}{}", number(at), interval(ends, number)),
    }
}

/// A distance of two levels, of which one may be beyond the highest one.
fn distance(value: f64) -> String {
    if value.is_finite() {
        format!("{value:+.2}")
    } else {
        "unbounded".to_owned()
    }
}

/// A level, which may be beyond the highest one.
fn number(value: f64, highest: f64) -> String {
    if value.is_finite() {
        format!("{value:.2}")
    } else {
        format!("beyond {highest}")
    }
}

/// ` (95 % interval LOW to HIGH)`. Empty without an interval.
fn interval(ends: Option<[f64; 2]>, number: impl Fn(f64) -> String) -> String {
    ends.map_or_else(String::new, |ends| {
        let [low, high] = ends.map(&number);
        format!(" (95 % interval {low} to {high})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_in_words() {
        let pair = NoisePair {
            highest: 0.9,
            halves: [
                (Half::At(0.45), Some([0.41, f64::INFINITY])),
                (Half::Beyond, Some([0.8, f64::INFINITY])),
            ],
            gap: Some(-0.25),
            gap_interval: Some([-0.3, f64::INFINITY]),
            shared: Some(Shared {
                n: 40,
                observed: 0.75,
                expected: 0.5,
                excess_interval: Some([0.125, 0.375]),
                p: Some(0.0123),
            }),
        };
        assert_eq!(
            pair.in_words("mix", ["A", "B"]),
            "A restores and B reads the same noise (mix): half is lost at level 0.45 (95 % interval 0.41 to beyond 0.9) \
             and at level beyond 0.9 (95 % interval 0.80 to beyond 0.9); the gap is -0.25 (95 % interval -0.30 to unbounded). \
             Of 40 that both name wrongly, 75.0 % have the same wrong name and chance is 50.0 %: +25.0 points \
             (95 % interval +12.5 to +37.5), p 0.0123."
        );
        let few = NoisePair {
            halves: [(Half::Undefined, None); 2],
            gap: None,
            gap_interval: None,
            shared: None,
            ..pair
        };
        let told = few.in_words("add", ["A", "B"]);
        assert!(
            told.contains("level unknown") && told.ends_with("nothing that both name wrongly.")
        );
    }
}
