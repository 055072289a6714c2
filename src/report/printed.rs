//! Results as a document: a grid for each suite, the estimates as records, the tables as JSON.

use super::table::{Cell, Estimated, Row, Table};
use crate::table::{self, Column, Document, FormatError, Grid, Records, Style};

/// Results: the rows compete, and the report page sorts them.
const RESULTS: Style = Style {
    class: "results",
    ranked: true,
    legend: true,
    sortable: true,
};

/// What the formats write of some tables.
///
/// # Errors
/// Fails if the tables have no JSON form.
pub fn document(tables: &[Table]) -> Result<Document<'_>, FormatError> {
    Document::new(grids(tables), records(tables), &tables)
}

/// The tables for eyes.
pub fn grids(tables: &[Table]) -> Vec<Grid> {
    tables.iter().map(Table::grid).collect()
}

/// One record for each estimate, unrounded: columns `suite, suite_version, model, run, partial, by, key,
/// value, low, high, n, outputs, notes`; `by` is missing and `key` is `overall` in the record of the overall
/// number.
pub fn records(tables: &[Table]) -> Records<'_> {
    let estimates: Vec<&Estimated> = tables.iter().flat_map(|table| &table.estimates).collect();
    Records::rows(&estimates)
        .text("suite", |row| Some(row.suite.as_str()))
        .text("suite_version", |row| Some(row.suite_version.as_str()))
        .text("model", |row| Some(row.model.as_str()))
        .text("run", |row| Some(row.run.as_str()))
        .truth("partial", |row| Some(row.partial))
        .text("by", |row| row.by.as_deref())
        .text("key", |row| Some(row.key.as_str()))
        .number("value", |row| row.value)
        .number("low", |row| row.low)
        .number("high", |row| row.high)
        .count("n", |row| Some(row.n))
        .count("outputs", |row| Some(row.outputs))
        .filled("notes", |row| row.notes.as_str())
        .build()
}

impl Table {
    /// The table for eyes.
    pub fn grid(&self) -> Grid {
        let mut columns = vec![Column {
            latex: Some("Model"),
            ..Column::words("model")
        }];
        columns.extend(self.measured().then(|| Column {
            latex: Some("$n$"),
            ..Column::numbers("n")
        }));
        columns.extend(self.columns.iter().map(Column::numbers));
        Grid {
            style: RESULTS,
            caption: self.caption(),
            label: self.suite.clone(),
            columns,
            rows: self.rows.iter().map(|row| self.line(row)).collect(),
            notes: self.notes.clone(),
        }
    }

    fn line(&self, row: &Row) -> table::Row {
        let mut cells = vec![table::Cell {
            marks: self.marks(row),
            ..table::Cell::plain(&row.label)
        }];
        cells.extend(self.measured().then(|| table::Cell {
            value: row.items().map(|items| items as f64),
            ..table::Cell::plain(row.items().map_or(String::new(), |items| items.to_string()))
        }));
        cells.extend(row.cells.iter().map(|cell| self.printed(cell)));
        table::Row {
            cells,
            apart: false,
        }
    }

    fn printed(&self, cell: &Cell) -> table::Cell {
        table::Cell {
            small: self.interval(cell).unwrap_or_default(),
            rank: cell.rank,
            value: cell.value,
            ..table::Cell::plain(self.text(cell))
        }
    }
}
