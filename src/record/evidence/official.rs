//! `official`: a verdict that a benchmark's own script gave.

use super::field::{Field, Text};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// A verdict of GenEval's `evaluate_images.py`. `D` holds its details. Without it, they are skipped.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OfficialVerdict<'a, D = IgnoredAny> {
    /// The verdict.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub official: Field<Verdict<'a, D>>,
}

/// Whether an output is right.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Verdict<'a, D = IgnoredAny> {
    /// Whether the picture shows what was asked for.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub correct: Field<bool>,
    /// What is wrong with it, in the script's words. Empty if it is right.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub reason: Field<Text<'a>>,
    /// Class → boxes with their scores, of the objects that count. Null if the script's line has none.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub details: Field<D>,
}

impl OfficialVerdict<'_> {
    /// The key that shows this kind.
    pub const KEY: &'static str = "official";
}

#[cfg(test)]
mod tests {
    use super::super::{read, written};
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_verdict_is_read_as_it_is_written() {
        let seen: OfficialVerdict<'_, Value> = OfficialVerdict {
            official: Verdict {
                correct: true.into(),
                reason: Text::from("").into(),
                details: Field::or_null(None),
            }
            .into(),
        };
        let value = written(&seen).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"official":{"correct":true,"reason":"","details":null}}"#
        );
        assert_eq!(read::<OfficialVerdict<'_, Value>>(&value), seen);
        let other = json!({"official": {"correct": 1}});
        let seen: OfficialVerdict<'_> = read(&other);
        let verdict = seen.official.into_option().unwrap();
        assert!(verdict.correct.get().is_none() && verdict.reason.text().is_empty());
    }
}
