//! The worth of a prediction, with the reason.

use super::table::Alike;
use super::text4::text4;
use crate::text::count::counted;
use crate::text::wordnet::WordNet;

/// The name of the part of a grade that the official aggregation leaves out.
pub(super) const IGNORED: &str = "ignored";

/// A graded prediction.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Graded {
    /// What it is worth, mostly 0 to 1.
    pub(super) score: f64,
    /// What was extracted and compared, and by which metric.
    pub(super) reason: String,
    /// Parts of the score, by name.
    pub(super) parts: Vec<(&'static str, f64)>,
    /// Left out of the official aggregation.
    pub(super) ignored: bool,
}

impl Graded {
    /// A prediction that is worth `score`.
    pub(super) fn new(score: f64, reason: impl Into<String>) -> Self {
        Self {
            score,
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// The same with parts.
    pub(super) fn with_parts(
        mut self,
        parts: impl IntoIterator<Item = (&'static str, f64)>,
    ) -> Self {
        self.parts.extend(parts);
        self
    }

    /// A prediction that is left out of the aggregation. It counts as 0 in the mean of its task.
    pub(super) fn ignored(reason: &str) -> Self {
        Self {
            ignored: true,
            ..Self::new(0.0, reason)
        }
    }

    /// A tree edit distance, or the reason why there was nothing to compare.
    pub(super) fn of_table(result: Result<Alike, String>, what: &str) -> Self {
        match result {
            Ok(alike) => Self::new(
                alike.score,
                format!(
                    "TEDS of {what}: distance {:.4} over {}",
                    alike.distance,
                    counted(alike.nodes, "node")
                ),
            )
            .with_parts([("distance", alike.distance), ("nodes", alike.nodes as f64)]),
            Err(why) => Self::new(0.0, format!("TEDS of {what}: {why}")),
        }
    }

    /// The four measures of a text.
    pub(super) fn of_text(prediction: &str, reference: &str, synonyms: Option<&WordNet>) -> Self {
        let text = text4(prediction, reference, synonyms);
        let mut parts = vec![
            ("bleu", text.bleu),
            ("meteor", text.meteor),
            ("edit_distance", text.edit_distance),
        ];
        parts.extend(text.f_measure.map(|f| ("f_measure", f)));
        Self::new(text.score, text.to_string()).with_parts(parts)
    }
}
