//! A verdict explained on one screen.

use super::banner::needed;
use super::grid::rules;
use super::verdict::Verdict;
use crate::compare::{Comparison, PlacedComparison};
use crate::table::Window;
use crate::table::formats::terminal;
use crate::text::count::counted;

/// Number of items that are listed for each run.
const LISTED: usize = 6;

/// The verdict as plain text, with the items that changed most in each comparison.
pub fn render(verdict: &Verdict, comparisons: &[PlacedComparison], window: Window) -> String {
    let mut grid = rules(verdict);
    let status = verdict.status.word().to_uppercase();
    grid.caption = format!("{status}: {}", verdict.headline());
    let reasons = verdict.rules.iter();
    let reasons = reasons.map(|rule| format!("{} of {}: {}", rule.metric, rule.suite, rule.reason));
    grid.notes.extend(reasons);
    let remarks = verdict.remarks.iter();
    grid.notes
        .extend(remarks.map(|remark| format!("! {remark}")));
    grid.notes.extend(verdict.rules.iter().filter_map(needed));
    let comparisons = comparisons.iter();
    grid.notes
        .extend(comparisons.flat_map(|shown| changed_items(&shown.comparison)));
    grid.notes.push(verdict.fine_print());
    terminal::table(&grid, window.unstyled())
}

fn changed_items(comparison: &Comparison) -> Vec<String> {
    let suite = &comparison.after.suite;
    if comparison.changes.is_empty() {
        return vec![format!("No item of {suite} changed its score.")];
    }
    let (won, lost) = (comparison.overall.won, comparison.overall.lost);
    let mut lines = vec![format!(
        "Changed most of {suite} ({} fell, {won} rose):",
        counted(lost, "item")
    )];
    lines.extend(comparison.changed_most(LISTED));
    lines
}
