//! One record for each run and metric, unrounded.

use super::{History, Point, Series};
use crate::table::{Document, FormatError, Records};

/// A document of histories for the formats that programs read.
///
/// # Errors
/// Fails if the histories have no JSON form.
pub fn document(histories: &[History]) -> Result<Document<'_>, FormatError> {
    Document::new(Vec::new(), records(histories), &histories)
}

/// The runs of all series of the histories.
fn records(histories: &[History]) -> Records<'_> {
    let rows: Vec<Line<'_>> = histories.iter().flat_map(lines).collect();
    Records::rows(&rows)
        .text("suite", |row| Some(row.history.suite.as_str()))
        .text("model", |row| Some(row.series.model.as_str()))
        .text("metric", |row| Some(row.series.metric.to_string()))
        .text("run", |row| Some(row.point.run.as_str()))
        .text("started", |row| Some(row.point.started.to_string()))
        .text("program", |row| Some(row.point.program.as_str()))
        .number("value", |row| row.point.value)
        .number("low", |row| row.point.low)
        .number("high", |row| row.point.high)
        .count("n", |row| Some(row.point.n))
        .number("step", |row| Some(row.point.step.as_ref()?.difference))
        .number("step_low", |row| row.point.step.as_ref()?.low)
        .number("step_high", |row| row.point.step.as_ref()?.high)
        .count("segment", |row| row.point.segment)
        .text("remark", |row| Some(row.series.remark(row.at, row.point)))
        .build()
}

/// A run with what it belongs to.
struct Line<'a> {
    history: &'a History,
    series: &'a Series,
    /// The index of the run in its series.
    at: usize,
    point: &'a Point,
}

fn lines(history: &History) -> impl Iterator<Item = Line<'_>> {
    history.series.iter().flat_map(move |series| {
        let points = series.points.iter().enumerate();
        points.map(move |(at, point)| Line {
            history,
            series,
            at,
            point,
        })
    })
}
