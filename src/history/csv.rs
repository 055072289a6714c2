//! One line a run and metric, unrounded.

use super::{History, Point, Series};
use crate::report::ReportError;
use polars::prelude::*;

/// The series of all histories as CSV (RFC 4180).
///
/// # Errors
/// When the table cannot be made.
pub fn render(histories: &[History]) -> Result<Vec<u8>, ReportError> {
    let failed = |error: PolarsError| ReportError::Export {
        format: "CSV",
        message: error.to_string(),
    };
    let rows: Vec<Row<'_>> = histories
        .iter()
        .flat_map(|history| history.series.iter().map(move |series| (history, series)))
        .flat_map(|(history, series)| {
            let points = series.points.iter().enumerate();
            points.map(move |(at, point)| Row {
                history,
                series,
                at,
                point,
            })
        })
        .collect();
    let text = |of: fn(&Row<'_>) -> String| -> Vec<String> { rows.iter().map(of).collect() };
    let number =
        |of: fn(&Row<'_>) -> Option<f64>| -> Vec<Option<f64>> { rows.iter().map(of).collect() };
    let count =
        |of: fn(&Row<'_>) -> Option<u64>| -> Vec<Option<u64>> { rows.iter().map(of).collect() };
    let columns = vec![
        Column::new("suite".into(), text(|row| row.history.suite.clone())),
        Column::new("model".into(), text(|row| row.series.model.clone())),
        Column::new("metric".into(), text(|row| row.series.metric.to_string())),
        Column::new("run".into(), text(|row| row.point.run.clone())),
        Column::new("started".into(), text(|row| row.point.started.to_string())),
        Column::new("program".into(), text(|row| row.point.program.clone())),
        Column::new("value".into(), number(|row| row.point.value)),
        Column::new("low".into(), number(|row| row.point.low)),
        Column::new("high".into(), number(|row| row.point.high)),
        Column::new("n".into(), count(|row| Some(row.point.n as u64))),
        Column::new(
            "step".into(),
            number(|row| Some(row.point.step.as_ref()?.difference)),
        ),
        Column::new(
            "step_low".into(),
            number(|row| row.point.step.as_ref()?.low),
        ),
        Column::new(
            "step_high".into(),
            number(|row| row.point.step.as_ref()?.high),
        ),
        Column::new(
            "segment".into(),
            count(|row| Some(row.point.segment? as u64)),
        ),
        Column::new(
            "remark".into(),
            text(|row| row.series.remark(row.at, row.point)),
        ),
    ];
    let mut frame = DataFrame::new(rows.len(), columns).map_err(failed)?;
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes)
        .with_line_terminator("\r\n".into())
        .finish(&mut frame)
        .map_err(failed)?;
    Ok(bytes)
}

struct Row<'a> {
    history: &'a History,
    series: &'a Series,
    at: usize,
    point: &'a Point,
}
