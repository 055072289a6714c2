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
    let rows: Vec<(&History, &Series, usize, &Point)> = histories
        .iter()
        .flat_map(|history| history.series.iter().map(move |series| (history, series)))
        .flat_map(|(history, series)| {
            let points = series.points.iter().enumerate();
            points.map(move |(at, point)| (history, series, at, point))
        })
        .collect();
    let text = |of: &dyn Fn(&History, &Series, usize, &Point) -> String| -> Vec<String> {
        rows.iter().map(|(h, s, at, p)| of(h, s, *at, p)).collect()
    };
    let number = |of: &dyn Fn(&Point) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|(.., point)| of(point)).collect()
    };
    let step = |of: fn(&super::Step) -> Option<f64>| {
        number(&|point| point.step.as_ref().and_then(of))
    };
    let segments: Vec<Option<u32>> = rows
        .iter()
        .map(|(.., point)| u32::try_from(point.segment?).ok())
        .collect();
    let columns = vec![
        Column::new("suite".into(), text(&|history, ..| history.suite.clone())),
        Column::new("model".into(), text(&|_, series, ..| series.model.clone())),
        Column::new("metric".into(), text(&|_, series, ..| series.metric.to_string())),
        Column::new("run".into(), text(&|.., point| point.run.clone())),
        Column::new("started".into(), text(&|.., point| point.started.to_string())),
        Column::new("program".into(), text(&|.., point| point.program.clone())),
        Column::new("value".into(), number(&|point| point.value)),
        Column::new("low".into(), number(&|point| point.low)),
        Column::new("high".into(), number(&|point| point.high)),
        Column::new("n".into(), rows.iter().map(|(.., p)| p.n as u64).collect::<Vec<_>>()),
        Column::new("step".into(), step(|step| Some(step.difference))),
        Column::new("step_low".into(), step(|step| step.low)),
        Column::new("step_high".into(), step(|step| step.high)),
        Column::new("segment".into(), segments),
        Column::new("remark".into(), text(&|_, series, at, point| series.remark(at, point))),
    ];
    let mut frame = DataFrame::new(rows.len(), columns).map_err(failed)?;
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes)
        .with_line_terminator("\r\n".into())
        .finish(&mut frame)
        .map_err(failed)?;
    Ok(bytes)
}
