//! The verdict in the form that the page shows.

use super::grid::{columns, numbers, tier};
use super::verdict::{Ruled, Verdict};
use crate::compare::page::{Banner, Head, RuleLine};
use crate::table::Align;

/// The verdict in the form that the page shows.
pub fn banner(verdict: &Verdict, informational: bool) -> Banner {
    let mut lines = vec![
        verdict.headline(),
        format!("policy {}: {}", verdict.policy, verdict.title),
    ];
    lines.extend(verdict.remarks.iter().cloned());
    if informational {
        lines.push("for information only".to_owned());
    }
    let heads = columns().into_iter().map(|column| Head {
        title: column.title().to_owned(),
        is_number: column.align == Align::Right,
    });
    let mut notes = vec![verdict.fine_print()];
    notes.extend(verdict.rules.iter().filter_map(needed));
    Banner {
        class: verdict.status.word(),
        status: verdict.status.word().to_owned(),
        lines,
        heads: heads.collect(),
        rules: verdict.rules.iter().map(line).collect(),
        notes,
    }
}

fn line(rule: &Ruled) -> RuleLine {
    RuleLine {
        metric: rule.metric.clone(),
        run: format!("{} · {} · {}", rule.suite, rule.model, rule.run),
        tier: tier(rule.tier).to_owned(),
        class: rule.status.word(),
        status: rule.status.word().to_owned(),
        reason: rule.reason.clone(),
        numbers: numbers(rule),
    }
}

/// A sentence on how many items would show the allowed drop, if there are fewer.
pub fn needed(rule: &Ruled) -> Option<String> {
    let difference = rule.difference.as_ref()?;
    let needed = rule.needed.filter(|needed| *needed > difference.n)?;
    Some(format!(
        "{} of {}: a drop just beyond the allowed one takes about {needed} items to be seen; there are {}.",
        rule.metric, rule.suite, difference.n
    ))
}
