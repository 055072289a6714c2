//! Charts for a paper's column, drawn once and written as SVG and PNG.
//!
//! Every chart is a plain description that [`Chart::draw`] puts on a [canvas](canvas::Canvas), whatever the backend. Sizes are in
//! units of which 1000 make the width of a column: text of 28 units is 7 pt in a column of 88 mm.

mod axis;
mod bars;
pub mod canvas;
mod distribution;
mod draw;
mod font;
mod forest;
mod frame;
mod heat;
mod lines;
mod matrix;
mod radar;
mod scatter;
mod series;

pub use bars::Bars;
pub use distribution::Distribution;
pub use forest::{Effect, Forest};
pub use heat::Heat;
pub use lines::{Curve, Lines, Point};
pub use matrix::Matrix;
pub use radar::Radar;
pub use scatter::{Scatter, Spot};
pub use series::Look;

pub use draw::{Chart, ChartError, Width, png, svg};

use super::{ReportError, RunView, Table, score};
use canvas::Label;
use std::collections::HashSet;

/// A chart in both formats.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// File name without extension.
    pub name: String,
    pub caption: String,
    pub svg: String,
    pub png: Vec<u8>,
}

/// The charts of one suite that its data allow: bars and radar need groups, the radar 3 to 16 of them, heat map and
/// distribution need grades. `runs` are those of the table, in its order.
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
    let bars = Bars::of(table, &labels, Width::Column);
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
    if let Some(radar) = Radar::of(table, &labels) {
        let by = table.by.as_deref().unwrap_or("group");
        charts.push(both(table, "radar", format!("{title} by {by}."), &radar)?);
    }
    if let Some(heat) = Heat::of(runs, &labels, full) {
        let caption = format!("{title}: item × model, {}.", heat.describe());
        charts.push(both(table, "heatmap", caption, &heat)?);
    }
    if let Some(distribution) = Distribution::of(runs, &labels, full) {
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

impl Drawn {
    /// Draws a chart in both formats.
    ///
    /// # Errors
    /// When a backend fails.
    pub fn new<C: Chart>(name: &str, caption: String, chart: &C) -> Result<Self, ReportError> {
        let name = file_name(name);
        let failed = |error: ChartError| ReportError::Chart {
            chart: name.clone(),
            message: error.0,
        };
        Ok(Self {
            caption,
            svg: svg(chart).map_err(failed)?,
            png: png(chart).map_err(failed)?,
            name,
        })
    }
}

/// Numbers the charts whose file name an earlier one has, also in other case, so that each has files of its own.
pub(crate) fn distinct<'a>(charts: impl Iterator<Item = &'a mut Drawn>) {
    let mut taken = HashSet::new();
    for chart in charts {
        let own = chart.name.clone();
        let mut number = 1;
        while !taken.insert(chart.name.to_ascii_lowercase()) {
            number += 1;
            chart.name = format!("{own}-{number}");
        }
    }
}

/// A name as part of a file name: anything but letters, digits, dots and hyphens becomes a hyphen.
pub(crate) fn file_name(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => c,
            _ => '-',
        })
        .collect()
}
