//! The states of an output without a score. A grade's `unscored` begins with the word for its state. Any
//! other text means an error.

use crate::record::Grade;
use std::collections::BTreeMap;

/// The judge refused to answer.
const REFUSED: &str = "refused";
/// A reply has no score.
const UNPARSED: &str = "unparsed";

/// The limit of tokens cut a reply off, and it has no score.
const CUT_OFF: &str = "cut off";

/// `unscored` of an output whose judge's reply is not whole.
pub(super) fn cut_off(what: &str) -> String {
    format!("{CUT_OFF}: {what}")
}

/// `unscored` of an output that the judge refused.
pub(super) fn refused(what: &str) -> String {
    format!("{REFUSED}: {what}")
}

/// `unscored` of an output whose judge's reply cannot be read.
pub(super) fn unparsed(what: &str) -> String {
    format!("{UNPARSED}: {what}")
}

/// The number of grades without a score, by state: `missing`, `refused`, `unparsed`, `cut off`, `left out` or
/// `error`. Outputs that failed are not counted here.
pub(super) fn count(grades: &[Grade]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let without = grades.iter().filter(|grade| grade.score.is_none());
    for why in without.filter_map(|grade| grade.unscored.as_deref()) {
        if let Some(state) = state_of(why) {
            *counts.entry(state.to_owned()).or_default() += 1;
        }
    }
    counts
}

fn state_of(why: &str) -> Option<&'static str> {
    // "observer NAME: KIND: MESSAGE" of an observation that failed.
    let kind = why.strip_prefix("observer ").and_then(|rest| {
        let (_, rest) = rest.split_once(": ")?;
        Some(rest)
    });
    let begins = |word: &str| kind.unwrap_or(why).starts_with(word);
    if why.starts_with("failed:") {
        return None;
    }
    let known = ["missing", REFUSED, UNPARSED, CUT_OFF, "left out"];
    Some(
        known
            .into_iter()
            .find(|word| begins(word))
            .unwrap_or("error"),
    )
}

/// `2 missing, 1 refused`.
pub(super) fn listed(counts: &BTreeMap<String, usize>) -> String {
    let counts: Vec<String> = counts
        .iter()
        .map(|(state, n)| format!("{n} {state}"))
        .collect();
    counts.join(", ")
}
