//! The comparison on a terminal, under the table of the runs.

use super::numbers::{Numbers, counts, maybe, names, p, power};
use super::{Comparison, Difference};
use crate::record::Object;
use crate::report::export::{Grid, plain};
use serde_json::{Value, json};

/// Most items that are listed.
const LISTED: usize = 8;

/// The comparison in plain text. `width` is that of the window, `wished` the power that sizes are given for.
pub fn render(comparison: &Comparison, width: Option<u16>, wished: f64) -> String {
    let numbers = Numbers::of(comparison.rows());
    let mut text = sheet(comparison, wished).terminal(width);
    if !comparison.changes.is_empty() {
        text += "Changed most, A → B:\n";
    }
    for change in comparison.changes.iter().take(LISTED) {
        let flip = if change.flipped { ", flipped" } else { "" };
        text += &format!(
            "  {} → {}  {}{flip}\n",
            numbers.score(change.before),
            numbers.score(change.after),
            plain(&change.item)
        );
    }
    if comparison.changes.len() > LISTED {
        text += &format!("  and {} more\n", comparison.changes.len() - LISTED);
    }
    text
}

/// The numbers of a comparison with what a reader must know, in any format.
pub fn sheet(comparison: &Comparison, wished: f64) -> Grid {
    let all = comparison.rows();
    let numbers = Numbers::of(all.iter().copied());
    let [before, after] = names(&comparison.before, &comparison.after);
    let corrected = all.iter().any(|row| row.p_holm.is_some());
    let mut heads = vec!["", "n", "A", "B", "B − A", "95 % interval", "p"];
    heads.extend(corrected.then_some("Holm"));
    heads.extend(["d", "won / tied / lost"]);
    Grid {
        caption: format!(
            "{} (version {}){}: {after} (B) against {before} (A), {} items in both",
            comparison.after.suite_title,
            comparison.after.suite_version,
            numbers.unit(),
            comparison.overall.n
        ),
        label: format!("{}-pairs", comparison.after.suite),
        heads: heads.into_iter().map(str::to_owned).collect(),
        rows: all
            .iter()
            .map(|row| cells(row, numbers, corrected))
            .collect(),
        notes: comparison.notes(numbers, wished),
    }
}

fn cells(row: &Difference, numbers: Numbers, corrected: bool) -> Vec<String> {
    let mut cells = vec![
        row.metric.to_string(),
        row.n.to_string(),
        numbers.score(row.before),
        numbers.score(row.after),
        numbers.signed(row.difference),
        numbers.interval(row),
        p(row.p),
    ];
    cells.extend(corrected.then(|| maybe(row.p_holm, p)));
    cells.push(maybe(row.effect, |d| format!("{d:+.2}").replace('-', "−")));
    cells.push(counts(row));
    cells
}

/// One object a number of a comparison, unrounded, for machines.
pub fn records(comparison: &Comparison) -> Vec<Object> {
    let (before, after) = (&comparison.before, &comparison.after);
    let allowed: Vec<&str> = comparison.allowed.iter().map(|m| m.text.as_str()).collect();
    let record = |row: &Difference| {
        let value = json!({
            "suite": after.suite, "suite_version": after.suite_version,
            "model_a": before.model, "run_a": before.run, "model_b": after.model, "run_b": after.run,
            "metric": row.metric.to_string(), "n": row.n, "a": row.before, "b": row.after,
            "difference": row.difference, "low": row.low, "high": row.high, "p": row.p, "p_holm": row.p_holm,
            "test": row.test, "effect": row.effect, "won": row.won, "tied": row.tied, "lost": row.lost,
            "allowed": allowed.join("; "),
        });
        match value {
            Value::Object(record) => record,
            _ => Object::new(),
        }
    };
    comparison.rows().into_iter().map(record).collect()
}

impl Comparison {
    /// All numbers, the overall one first.
    pub fn rows(&self) -> Vec<&Difference> {
        std::iter::once(&self.overall)
            .chain(&self.correct)
            .chain(&self.groups)
            .collect()
    }

    /// What a reader of the numbers must know.
    pub(super) fn notes(&self, numbers: Numbers, wished: f64) -> Vec<String> {
        let mut notes: Vec<String> = self
            .allowed
            .iter()
            .map(|mismatch| format!("! compared although they differ: {}", mismatch.text))
            .collect();
        notes.extend(self.remarks.iter().map(|remark| format!("! {remark}")));
        let mut line = format!("p: {}", self.overall.test.describe());
        if self.overall.p_holm.is_some() {
            line += ", Holm over the runs";
        }
        if !self.groups.is_empty() {
            line += &format!("; groups: Holm over all {} of them", self.groups.len());
        }
        notes.push(line + "; d: mean over deviation of the items' differences.");
        if let Some(flips) = self.overall.flips {
            let mut line = format!("{} items gained, {} lost", flips.gained, flips.lost);
            if let Some((ratio, low, high)) = self.overall.odds_ratio.filter(|o| o.0.is_finite()) {
                line += &format!(": odds {ratio:.2} [{low:.2}, {high:.2}]");
            }
            notes.push(line + ".");
        }
        notes.extend(power(&self.overall, numbers, wished));
        notes
    }
}
