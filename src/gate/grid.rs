//! The rules of a verdict as rows.

use super::verdict::{Ruled, Verdict};
use crate::compare::{Numbers, or_dash, p};
use crate::config::Tier;
use crate::table::{Cell, Column, Grid, Row};

/// The columns of the rules, here and on the page.
pub(super) fn columns() -> Vec<Column> {
    let words = ["rule", "tier", "result"].map(Column::words);
    let numbers = ["n", "baseline", "now", "drop", "allowed", "p", "seen from"];
    let numbers = numbers.map(Column::numbers);
    words.into_iter().chain(numbers).collect()
}

/// A row for each rule, without caption and notes.
pub(super) fn rules(verdict: &Verdict) -> Grid {
    Grid {
        columns: columns(),
        rows: verdict.rules.iter().map(line).collect(),
        ..Grid::default()
    }
}

/// The same, with the reason behind each rule.
pub(super) fn rules_with_reasons(verdict: &Verdict) -> Grid {
    let mut grid = rules(verdict);
    grid.columns.push(Column::unnamed());
    for (row, rule) in grid.rows.iter_mut().zip(&verdict.rules) {
        row.cells.push(Cell::plain(&rule.reason));
    }
    grid
}

fn line(rule: &Ruled) -> Row {
    let mut cells = vec![
        format!("{} of {}, {}", rule.metric, rule.suite, rule.model),
        tier(rule.tier).to_owned(),
        rule.status.word().to_owned(),
    ];
    cells.extend(numbers(rule));
    Row::plain(cells)
}

/// The name of the tier.
pub(super) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Critical => "critical",
        Tier::Supporting => "supporting",
        Tier::Advisory => "advisory",
    }
}

/// The number of items, baseline, now, drop, allowed drop, p, and the smallest detectable drop.
pub(super) fn numbers(rule: &Ruled) -> [String; 7] {
    let shown = Numbers::from_differences(&rule.difference);
    let d = rule.difference.as_ref();
    [
        d.map_or("–".to_owned(), |d| d.n.to_string()),
        or_dash(d.map(|d| d.before), |v| shown.score(v)),
        or_dash(d.map(|d| d.after), |v| shown.score(v)),
        or_dash(rule.drop, |v| shown.signed(v)),
        or_dash(rule.allowed, |v| shown.score(v)),
        or_dash(rule.p_corrected, p),
        or_dash(rule.detectable, |v| shown.score(v)),
    ]
}
