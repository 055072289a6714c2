//! Long format: one row per estimate, typed, unrounded.

use crate::report::Table;
use crate::report::table::Estimated;
use polars::prelude::{Column, DataFrame, PolarsResult};

/// Columns `suite, suite_version, model, run, partial, by, key, value, low, high, n, outputs, notes`; `by` is null and `key` is
/// `overall` in the row of the overall number.
pub fn frame(tables: &[Table]) -> PolarsResult<DataFrame> {
    let rows: Vec<&Estimated> = tables.iter().flat_map(|table| &table.estimates).collect();
    let text = |name: &str, get: fn(&Estimated) -> Option<&str>| {
        let values: Vec<Option<&str>> = rows.iter().map(|row| get(row)).collect();
        Column::new(name.into(), values)
    };
    let number = |name: &str, get: fn(&Estimated) -> Option<f64>| {
        let values: Vec<Option<f64>> = rows.iter().map(|row| get(row)).collect();
        Column::new(name.into(), values)
    };
    let count = |name: &str, get: fn(&Estimated) -> usize| {
        let values: Vec<u64> = rows.iter().map(|row| get(row) as u64).collect();
        Column::new(name.into(), values)
    };
    let partial: Vec<bool> = rows.iter().map(|row| row.partial).collect();
    DataFrame::new(
        rows.len(),
        vec![
            text("suite", |row| Some(&row.suite)),
            text("suite_version", |row| Some(&row.suite_version)),
            text("model", |row| Some(&row.model)),
            text("run", |row| Some(&row.run)),
            Column::new("partial".into(), partial),
            text("by", |row| row.by.as_deref()),
            text("key", |row| Some(&row.key)),
            number("value", |row| row.value),
            number("low", |row| row.low),
            number("high", |row| row.high),
            count("n", |row| row.n),
            count("outputs", |row| row.outputs),
            text("notes", |row| {
                Some(row.notes.as_str()).filter(|notes| !notes.is_empty())
            }),
        ],
    )
}
