//! Charts for a paper's column, drawn once and written as SVG and PNG.
//!
//! Every chart is a plain description that [`Chart::draw`] puts on a [`Canvas`], whatever the backend. Sizes are in
//! units of which 1000 make the width of a column: text of 28 units is 7 pt in a column of 88 mm.

mod axis;
mod bars;
pub mod canvas;
mod distribution;
mod draw;
mod font;
mod frame;
mod heat;
mod lines;
mod radar;
mod series;

pub use bars::Bars;
pub use distribution::Distribution;
pub use heat::Heat;
pub use lines::{Curve, Lines, Point};
pub use radar::Radar;
pub use series::Look;

pub use draw::{Chart, ChartError, Width, png, svg};

use super::{ReportError, RunView, Table, score};
use canvas::Label;

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
    let bars = Bars::of(table, &labels);
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
    let name = format!("{}-{kind}", file_name(&table.suite));
    let failed = |error: ChartError| ReportError::Chart {
        chart: name.clone(),
        message: error.0,
    };
    Ok(Drawn {
        caption,
        svg: svg(chart).map_err(failed)?,
        png: png(chart).map_err(failed)?,
        name,
    })
}

/// A suite's name as part of a file name: anything but letters, digits, dots and hyphens becomes a hyphen.
pub(crate) fn file_name(suite: &str) -> String {
    suite
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => c,
            _ => '-',
        })
        .collect()
}

/// Ticks from 0 to the first round step at or above `top`.
fn ticks(top: f64) -> Vec<f64> {
    let top = if top > 0.0 && top.is_finite() {
        top
    } else {
        1.0
    };
    let rough = top / 4.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(power * 10.0);
    let count = (top / step - 1e-9).ceil() as usize;
    (0..=count).map(|index| step * index as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(ticks(1.0), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(10.0), [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(ticks(0.0), [0.0, 0.25, 0.5, 0.75, 1.0]);
        for top in [0.013, 0.31, 0.87, 4.2, 63.0, 99.9] {
            let ticks = ticks(top);
            assert!(
                ticks.len() <= 6 && *ticks.last().unwrap() >= top,
                "{top}: {ticks:?}"
            );
        }
    }
}
