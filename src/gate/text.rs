//! A verdict explained on one screen.

use super::banner::{needed, numbers, tier};
use super::verdict::Verdict;
use crate::compare::{Comparison, Numbers};
use crate::report::export::{aligned, grid, plain};

/// Number of items that are listed for each run.
const LISTED: usize = 6;

/// The verdict as plain text, with the items that changed most in each comparison.
pub fn render(verdict: &Verdict, comparisons: &[Comparison], width: Option<u16>) -> String {
    let mut text = format!(
        "{}: {}\n",
        verdict.status.word().to_uppercase(),
        plain(&verdict.headline())
    );
    let heads = [
        "rule",
        "tier",
        "result",
        "n",
        "baseline",
        "now",
        "drop",
        "allowed",
        "p",
        "seen from",
    ];
    let mut table = grid(&heads, width);
    for rule in &verdict.rules {
        let name = format!("{} of {}, {}", rule.metric, rule.suite, rule.model);
        let mut cells = vec![
            plain(&name),
            tier(rule.tier).to_owned(),
            rule.status.word().to_owned(),
        ];
        cells.extend(numbers(rule));
        table.add_row(aligned(cells));
    }
    text += &format!("{}\n", table.trim_fmt());
    for rule in &verdict.rules {
        text += &format!(
            "{} of {}: {}\n",
            rule.metric,
            rule.suite,
            plain(&rule.reason)
        );
    }
    for remark in &verdict.remarks {
        text += &format!("! {}\n", plain(remark));
    }
    for note in verdict.rules.iter().filter_map(needed) {
        text += &format!("{note}\n");
    }
    for comparison in comparisons {
        text += &flips(comparison);
    }
    text + &verdict.fine_print() + "\n"
}

fn flips(comparison: &Comparison) -> String {
    let all = comparison.changes.len();
    if all == 0 {
        return format!("No item of {} changed its score.\n", comparison.after.suite);
    }
    let numbers = Numbers::of(comparison.rows());
    let (won, lost) = (comparison.overall.won, comparison.overall.lost);
    let mut text = format!(
        "Changed most of {} ({lost} items fell, {won} rose):\n",
        comparison.after.suite
    );
    for change in comparison.changes.iter().take(LISTED) {
        let flip = if change.flipped { ", flipped" } else { "" };
        text += &format!(
            "  {} → {}  {}{flip}\n",
            numbers.score(change.before),
            numbers.score(change.after),
            plain(&change.item)
        );
    }
    if all > LISTED {
        text += &format!("  and {} more\n", all - LISTED);
    }
    text
}
