//! How long common cards would take to make outputs. These are estimates from the arithmetic of the network
//! that makes a picture step by step, and nothing was measured for them.

use super::{ConfiguredModel, SessionError};
use serde_json::json;

/// A graphics card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Card {
    /// The usual name.
    pub name: &'static str,
    /// What its maker promises for matrices of f16 that are summed in f32, in TFLOP/s, without sparsity.
    pub peak: f64,
}

/// The cards of the estimates, the slowest one first.
pub const CARDS: [Card; 6] = [
    Card {
        name: "T4",
        peak: 65.0,
    },
    Card {
        name: "RTX 3090",
        peak: 71.0,
    },
    Card {
        name: "RTX 4090",
        peak: 165.0,
    },
    Card {
        name: "A100",
        peak: 312.0,
    },
    Card {
        name: "H100",
        peak: 989.0,
    },
    Card {
        name: "H200",
        peak: 989.0,
    },
];

impl Card {
    /// The assumed speed in TFLOP/s: a third of the peak.
    pub fn sustained(&self) -> f64 {
        self.peak / 3.0
    }

    /// The estimated seconds for this much arithmetic, in TFLOP.
    pub fn seconds(&self, tflop: f64) -> f64 {
        tflop / self.sustained()
    }
}

impl ConfiguredModel {
    /// The arithmetic of one output in TFLOP. `None` if the definition has no `cost`, or has it for another
    /// size, or the network runs in f32, for which the speeds of [`CARDS`] do not hold.
    ///
    /// # Errors
    /// Fails if the settings have mistakes.
    pub fn tflop_per_output(&self) -> Result<Option<f64>, SessionError> {
        let Some(cost) = self.model.cost else {
            return Ok(None);
        };
        let set = |key: &str| self.resolved.get(key);
        let other_size = set("size").is_some_and(|size| *size != json!(cost.size));
        if other_size || set("precision") == Some(&json!("f32")) {
            return Ok(None);
        }
        let evaluations = self.generator.evaluations(&self.settings)?;
        Ok(evaluations.map(|count| cost.tflop_per_evaluation * count as f64))
    }
}

/// The estimate for `outputs` outputs on each card, in words.
pub fn hours_on_cards(tflop_per_output: f64, outputs: usize) -> String {
    let all = tflop_per_output * outputs as f64;
    let cards = CARDS.iter().map(|card| {
        let time = duration(card.seconds(all));
        format!("{} {time} ({:.0})", card.name, card.sustained())
    });
    cards.collect::<Vec<_>>().join(", ")
}

/// Seconds in the unit that a reader plans with.
fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 120.0 => format!("{seconds:.1} s"),
        _ if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        _ if seconds < 36_000.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_arithmetic_over_a_third_of_the_peak() {
        // GenEval with SD 1.5: 2212 pictures of 80 TFLOP.
        let all = hours_on_cards(80.0, 2212);
        assert_eq!(
            all,
            "T4 2.3 h (22), RTX 3090 2.1 h (24), RTX 4090 54 min (55), A100 28 min (104), H100 9 min (330), \
             H200 9 min (330)"
        );
        assert_eq!(duration(36.0 * 3600.0), "36 h");
        assert_eq!(duration(3.64), "3.6 s");
    }
}
