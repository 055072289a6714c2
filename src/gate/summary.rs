//! The summary of a CI step, in Markdown.

use super::banner::needed;
use super::grid::rules_with_reasons;
use super::verdict::{Status, Verdict};
use crate::compare::{Change, Comparison, Numbers, PlacedComparison};
use crate::table::formats::markdown::{body, escape};
use crate::table::{Column, Grid, Row};
use crate::text::count::counted;

/// Number of items that are listed for each run.
const LISTED: usize = 40;

/// The verdict, its rules, and the items that changed most.
pub fn render(verdict: &Verdict, comparisons: &[PlacedComparison]) -> String {
    let sign = match verdict.status {
        Status::Pass => "✅",
        Status::Inconclusive => "❔",
        Status::Breach => "❌",
    };
    let mut text = format!(
        "## {sign} unigauge gate: {}\n\n{}\n\n",
        verdict.status.word(),
        escape(&verdict.headline())
    );
    text += &body(&rules_with_reasons(verdict));
    text += "\n";
    for remark in &verdict.remarks {
        text += &format!("- {}\n", escape(remark));
    }
    for note in verdict.rules.iter().filter_map(needed) {
        text += &format!("- {}\n", escape(&note));
    }
    for shown in comparisons {
        text += &changes(&shown.comparison);
    }
    text + &format!("\n{}\n", escape(&verdict.fine_print()))
}

fn changes(comparison: &Comparison) -> String {
    let (won, lost) = (comparison.overall.won, comparison.overall.lost);
    let mut text = format!(
        "\n<details><summary>{}: {} fell, {won} rose</summary>\n\n{}",
        escape(&comparison.after.suite_title),
        counted(lost, "item"),
        body(&changed(comparison))
    );
    let more = comparison.changes.len().saturating_sub(LISTED);
    if more > 0 {
        text += &format!("\n… and {more} more.\n");
    }
    text + "\n</details>\n"
}

/// The items that changed most.
fn changed(comparison: &Comparison) -> Grid {
    let numbers = Numbers::from_differences(comparison.rows());
    let line = |change: &Change| {
        Row::plain([
            change.item.clone(),
            numbers.score(change.before),
            numbers.score(change.after),
            if change.flipped { "flipped" } else { "" }.to_owned(),
        ])
    };
    let mut columns = Column::named(["item", "baseline", "now"]);
    columns.push(Column::unnamed());
    let changes = comparison.changes.iter().take(LISTED);
    Grid {
        columns,
        rows: changes.map(line).collect(),
        ..Grid::default()
    }
}
