//! The summary of a CI step, in Markdown.

use super::banner::{needed, numbers, tier};
use super::verdict::{Status, Verdict};
use crate::compare::{Comparison, Numbers};
use crate::report::export::escape_markdown as escape;

/// Number of items that are listed for each run.
const LISTED: usize = 40;

/// The verdict, its rules, and the items that changed most.
pub fn render(verdict: &Verdict, comparisons: &[Comparison]) -> String {
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
    text += "| rule | tier | result | n | baseline | now | drop | allowed | p | seen from | |\n";
    text += "|:---|:---|:---|---:|---:|---:|---:|---:|---:|---:|:---|\n";
    for rule in &verdict.rules {
        text += &format!(
            "| {} of {}, {} | {} | {} | {} | {} |\n",
            escape(&rule.metric),
            escape(&rule.suite),
            escape(&rule.model),
            tier(rule.tier),
            rule.status.word(),
            numbers(rule).map(|number| escape(&number)).join(" | "),
            escape(&rule.reason)
        );
    }
    text += "\n";
    for remark in &verdict.remarks {
        text += &format!("- {}\n", escape(remark));
    }
    for note in verdict.rules.iter().filter_map(needed) {
        text += &format!("- {}\n", escape(&note));
    }
    for comparison in comparisons {
        text += &changes(comparison);
    }
    text + &format!("\n{}\n", escape(&verdict.fine_print()))
}

fn changes(comparison: &Comparison) -> String {
    let all = comparison.changes.len();
    let numbers = Numbers::of(comparison.rows());
    let (won, lost) = (comparison.overall.won, comparison.overall.lost);
    let mut text = format!(
        "\n<details><summary>{}: {lost} items fell, {won} rose</summary>\n\n| item | baseline | now | |\n|:---|---:|---:|:---|\n",
        escape(&comparison.after.suite_title)
    );
    for change in comparison.changes.iter().take(LISTED) {
        text += &format!(
            "| {} | {} | {} | {} |\n",
            escape(&change.item),
            numbers.score(change.before),
            numbers.score(change.after),
            if change.flipped { "flipped" } else { "" }
        );
    }
    if all > LISTED {
        text += &format!("\n… and {} more.\n", all - LISTED);
    }
    text + "\n</details>\n"
}
