//! Finds the evidence that a rule grades among all that was written about one output.

use super::lack::{Lack, LackKind};
use super::rule::Case;
use crate::record::Evidence;
use crate::record::evidence::{self, Detection, Detections, Field};
use serde_json::Value;

/// The `evidence` object with the key `key` (`detections`, `text`, …).
///
/// For each observer, the last record counts. `observer` names the one to use. Without it, only one observer
/// may have written the key.
///
/// # Errors
/// Fails if there is nothing to grade. The error is worded for the grade's `unscored`.
pub(super) fn find<'a>(
    case: &Case<'a>,
    key: &str,
    observer: Option<&str>,
) -> Result<&'a Value, Lack> {
    let mut found: Option<(&Evidence, &Value)> = None;
    let mut failed: Option<&Evidence> = None;
    for (index, record) in case.evidence.iter().enumerate() {
        let superseded = case.evidence[index + 1..]
            .iter()
            .any(|later| later.observer == record.observer);
        if superseded || observer.is_some_and(|name| name != record.observer) {
            continue;
        }
        if record.error.is_some() {
            failed = Some(record);
            continue;
        }
        let Some(value) = record.evidence.as_ref().filter(|v| v.get(key).is_some()) else {
            continue;
        };
        if let Some((other, _)) = found {
            return Err(Lack::from(format!(
                "ambiguous evidence: observers {} and {} both wrote `{key}`; name one in the rule's option `observer`",
                other.observer, record.observer
            )));
        }
        found = Some((record, value));
    }
    match (found, failed) {
        (Some((_, value)), _) => Ok(value),
        (None, Some(record)) => Err(observer_error(record)),
        (None, None) => {
            let who = observer.map_or_else(
                || "no observer wrote".to_owned(),
                |name| format!("observer {name} wrote no"),
            );
            Err(unseen(&format!("{who} `{key}`")))
        }
    }
}

/// The objects of a detector's evidence.
///
/// # Errors
/// Fails if they are not a list. The error has serde's words.
pub(super) fn detections(evidence: &Value) -> Result<Vec<Field<Detection<'_>>>, String> {
    let seen: Detections<'_> = evidence::read(evidence);
    seen.detections.required(Detections::KEY)
}

/// Evidence that nobody wrote.
pub(super) fn unseen(what: &str) -> Lack {
    Lack::new(LackKind::Unseen, format!("missing evidence: {what}"))
}

fn observer_error(record: &Evidence) -> Lack {
    let (kind, message) = record
        .error
        .as_ref()
        .map_or(("error", ""), |e| (e.kind.as_str(), e.message.as_str()));
    let words = format!("observer {}: {kind}: {message}", record.observer);
    Lack::new(LackKind::of_failure(kind), words)
}
