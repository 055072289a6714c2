//! Which charts the results of a suite have.

use super::bars::Bars;
use super::canvas::Label;
use super::distribution::Distribution;
use super::draw::{Chart, Width};
use super::drawn::Drawn;
use super::heat::Heat;
use super::radar::Radar;
use crate::report::error::ReportError;
use crate::report::score;
use crate::report::table::Table;
use crate::report::view::RunView;

/// The charts of one suite that its data allow: bars and radar need groups, the radar 3 to 16 of them, heat
/// map and distribution need grades. `runs` are those of the table, in its order.
///
/// # Errors
/// Fails if a backend fails.
pub fn of_suite(table: &Table, runs: &[&RunView]) -> Result<Vec<Drawn>, ReportError> {
    let labels: Vec<Label> = table
        .rows
        .iter()
        .map(|row| Label {
            text: row.label.clone(),
            id: format!("{} ({})", row.model, row.run),
        })
        .collect();
    let full = score::full_mark(runs.iter().copied());
    let title = &table.suite_title;
    let mut charts = Vec::new();
    let bars = Bars::from_table(table, &labels, Width::Column);
    let intervals = if bars.has_intervals() {
        " Whiskers are 95 % intervals."
    } else {
        ""
    };
    let groups = match &table.by {
        Some(by) => format!("{title}: overall and by {by}.{intervals}"),
        None => format!("{title}: overall.{intervals}"),
    };
    charts.push(both(table, "bars", groups, &bars)?);
    if let Some(radar) = Radar::from_table(table, &labels) {
        let by = table.by.as_deref().unwrap_or("group");
        charts.push(both(table, "radar", format!("{title} by {by}."), &radar)?);
    }
    if let Some(heat) = Heat::from_runs(runs, &labels, full) {
        let caption = format!("{title}: item × model, {}.", heat.describe());
        charts.push(both(table, "heatmap", caption, &heat)?);
    }
    if let Some(distribution) = Distribution::from_runs(runs, &labels, full) {
        let caption = format!("{title}: {}.", distribution.describe());
        charts.push(both(table, "distribution", caption, &distribution)?);
    }
    Ok(charts)
}

fn both<C: Chart>(
    table: &Table,
    kind: &str,
    caption: String,
    chart: &C,
) -> Result<Drawn, ReportError> {
    Drawn::new(&format!("{}-{kind}", table.suite), caption, chart)
}
