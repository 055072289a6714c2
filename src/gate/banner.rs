//! The rules of a verdict as rows, and the verdict for the page.

use super::verdict::{Ruled, Verdict};
use crate::compare::Numbers;
use crate::compare::page::{Banner, RuleLine};
use crate::config::Tier;

/// The name of the tier.
pub fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Critical => "critical",
        Tier::Supporting => "supporting",
        Tier::Advisory => "advisory",
    }
}

/// The number of items, baseline, now, drop, allowed drop, p, and the smallest detectable drop.
pub fn numbers(rule: &Ruled) -> [String; 7] {
    let shown = Numbers::from_differences(&rule.difference);
    let of = |value: Option<f64>, show: &dyn Fn(f64) -> String| {
        value.map_or_else(|| "–".to_owned(), show)
    };
    let d = rule.difference.as_ref();
    [
        d.map_or("–".to_owned(), |d| d.n.to_string()),
        of(d.map(|d| d.before), &|v| shown.score(v)),
        of(d.map(|d| d.after), &|v| shown.score(v)),
        of(rule.drop, &|v| shown.signed(v)),
        of(rule.allowed, &|v| shown.score(v)),
        of(rule.p_corrected, &crate::compare::p),
        of(rule.detectable, &|v| shown.score(v)),
    ]
}

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
    let mut notes = vec![verdict.fine_print()];
    notes.extend(verdict.rules.iter().filter_map(needed));
    Banner {
        class: verdict.status.word(),
        status: verdict.status.word().to_owned(),
        lines,
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
