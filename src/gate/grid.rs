//! The rules of a verdict as rows.

use super::banner::{numbers, tier};
use super::verdict::{Ruled, Verdict};
use crate::table::{Cell, Column, Grid, Row};

/// A row for each rule, without caption and notes.
pub(super) fn rules(verdict: &Verdict) -> Grid {
    let words = ["rule", "tier", "result"].map(Column::words);
    let heads = ["n", "baseline", "now", "drop", "allowed", "p", "seen from"];
    Grid {
        columns: words
            .into_iter()
            .chain(heads.map(Column::numbers))
            .collect(),
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
