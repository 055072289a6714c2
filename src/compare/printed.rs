//! The comparison as a grid of numbers and as records.

use super::numbers::{Numbers, counts, names, or_dash, p, power};
use super::{Comparison, Difference, PlacedComparison};
use crate::table::formats::TERMINAL;
use crate::table::{Column, Document, Format, FormatError, Grid, Records, Row, Style};
use crate::text::count::counted;
use serde_json::json;

/// Largest number of items that a terminal lists.
const LISTED: usize = 8;

/// The numbers of a comparison for a terminal, with the items that changed most. `wished` is the power that
/// sizes are given for.
pub fn screen(comparison: &Comparison, wished: f64) -> Grid {
    let mut grid = sheet(comparison, wished);
    if !comparison.changes.is_empty() {
        grid.notes.push("Changed most, A → B:".to_owned());
    }
    grid.notes.extend(comparison.changed_most(LISTED));
    grid
}

/// The numbers of a comparison with what a reader must know. `wished` is the power that sizes are given for.
pub fn sheet(comparison: &Comparison, wished: f64) -> Grid {
    let all = comparison.rows();
    let numbers = Numbers::from_differences(all.iter().copied());
    let [before, after] = names(&comparison.before, &comparison.after);
    let corrected = all.iter().any(|row| row.p_holm.is_some());
    let mut heads = vec!["", "n", "A", "B", "B − A", "95 % interval", "p"];
    heads.extend(corrected.then_some("Holm"));
    heads.extend(["d", "won / tied / lost"]);
    let rows = all.iter().map(|row| line(row, numbers, corrected));
    Grid {
        style: Style::PAIRS,
        caption: format!(
            "{} (version {}){}: {after} (B) against {before} (A), {} in both",
            comparison.after.suite_title,
            comparison.after.suite_version,
            numbers.unit(),
            counted(comparison.overall.n, "item")
        ),
        label: format!("{}-pairs", comparison.after.suite),
        columns: Column::named(heads),
        rows: rows.collect(),
        notes: comparison.notes(numbers, wished),
    }
}

/// The numbers of a row as they are printed, here and on the page.
pub(super) struct Figures {
    /// The number of items.
    pub(super) n: String,
    /// The number in the earlier run.
    pub(super) before: String,
    /// The number in the later run.
    pub(super) after: String,
    /// The later number minus the earlier one.
    pub(super) difference: String,
    /// The 95 % interval of the difference.
    pub(super) interval: String,
    /// The probability of such a difference if nothing had changed.
    pub(super) p: String,
    /// The same with Holm's correction.
    pub(super) holm: String,
    /// The effect size d.
    pub(super) effect: String,
    /// Items won, tied and lost.
    pub(super) counts: String,
}

impl Figures {
    pub(super) fn new(row: &Difference, numbers: Numbers) -> Self {
        Self {
            n: row.n.to_string(),
            before: numbers.score(row.before),
            after: numbers.score(row.after),
            difference: numbers.signed(row.difference),
            interval: numbers.interval(row),
            p: p(row.p),
            holm: or_dash(row.p_holm, p),
            effect: or_dash(row.effect, |d| format!("{d:+.2}").replace('-', "−")),
            counts: counts(row),
        }
    }
}

fn line(row: &Difference, numbers: Numbers, corrected: bool) -> Row {
    let figures = Figures::new(row, numbers);
    let mut cells = vec![
        row.metric.to_string(),
        figures.n,
        figures.before,
        figures.after,
        figures.difference,
        figures.interval,
        figures.p,
    ];
    cells.extend(corrected.then_some(figures.holm));
    cells.extend([figures.effect, figures.counts]);
    Row::plain(cells)
}

/// Comparisons without the tables of their runs, for a format. `wished` is the power that sizes are given
/// for.
///
/// # Errors
/// Fails if a comparison has no JSON form.
pub fn document<'a>(
    format: &Format,
    placed: &'a [PlacedComparison],
    wished: f64,
) -> Result<Document<'a>, FormatError> {
    let comparisons = placed.iter().map(|placed| &placed.comparison);
    let grid = if format == &TERMINAL { screen } else { sheet };
    let grids = comparisons.clone().map(|both| grid(both, wished));
    Document::new(
        grids.collect(),
        records(comparisons),
        &json!({"comparisons": placed}),
    )
}

/// One record for each number of the comparisons, unrounded. Without a comparison, there are no columns.
pub fn records<'a>(comparisons: impl IntoIterator<Item = &'a Comparison>) -> Records<'a> {
    let of_comparison = |comparison: &'a Comparison| {
        let rows = comparison.rows().into_iter();
        rows.map(move |row| (comparison, row))
    };
    let rows: Vec<(&Comparison, &Difference)> =
        comparisons.into_iter().flat_map(of_comparison).collect();
    if rows.is_empty() {
        return Records::default();
    }
    let allowed = |comparison: &Comparison| {
        let mismatches = comparison.allowed.iter();
        let texts: Vec<&str> = mismatches.map(|found| found.text.as_str()).collect();
        texts.join("; ")
    };
    Records::rows(&rows)
        .filled("suite", |(both, _)| both.after.suite.as_str())
        .filled("suite_version", |(both, _)| {
            both.after.suite_version.as_str()
        })
        .filled("model_a", |(both, _)| both.before.model.as_str())
        .filled("run_a", |(both, _)| both.before.run.as_str())
        .filled("model_b", |(both, _)| both.after.model.as_str())
        .filled("run_b", |(both, _)| both.after.run.as_str())
        .filled("metric", |(_, row)| row.metric.to_string())
        .count("n", |(_, row)| Some(row.n))
        .finite("a", |(_, row)| Some(row.before))
        .finite("b", |(_, row)| Some(row.after))
        .finite("difference", |(_, row)| Some(row.difference))
        .finite("low", |(_, row)| row.low)
        .finite("high", |(_, row)| row.high)
        .finite("p", |(_, row)| Some(row.p))
        .finite("p_holm", |(_, row)| row.p_holm)
        .filled("test", |(_, row)| row.test.name())
        .finite("effect", |(_, row)| row.effect)
        .count("won", |(_, row)| Some(row.won))
        .count("tied", |(_, row)| Some(row.tied))
        .count("lost", |(_, row)| Some(row.lost))
        .filled("allowed", |(both, _)| allowed(both))
        .build()
}

impl Comparison {
    /// All numbers. The overall number comes first.
    pub fn rows(&self) -> Vec<&Difference> {
        std::iter::once(&self.overall)
            .chain(&self.correct)
            .chain(&self.groups)
            .collect()
    }

    /// Lines on the items that changed most, at most `listed`, and the number of the other items.
    pub fn changed_most(&self, listed: usize) -> Vec<String> {
        let numbers = Numbers::from_differences(self.rows());
        let shown = self.changes.iter().take(listed).map(|change| {
            let flip = if change.flipped { ", flipped" } else { "" };
            format!(
                "  {} → {}  {}{flip}",
                numbers.score(change.before),
                numbers.score(change.after),
                change.item
            )
        });
        let more = self.changes.len().saturating_sub(listed);
        let more = (more > 0).then(|| format!("  and {more} more"));
        shown.chain(more).collect()
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
            let mut line = format!(
                "{} gained, {} lost",
                counted(flips.gained as usize, "item"),
                flips.lost
            );
            if let Some((ratio, low, high)) = self.overall.odds_ratio.filter(|o| o.0.is_finite()) {
                line += &format!(": odds {ratio:.2} [{low:.2}, {high:.2}]");
            }
            notes.push(line + ".");
        }
        notes.extend(power(&self.overall, numbers, wished));
        notes
    }
}
