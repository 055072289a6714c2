//! Grouped bars with interval whiskers: one group a line, so that long names have room.

use super::canvas::{Align, Canvas, GRID, INK, Label, PAPER, SOFT, Type};
use super::series::{Legend, Look, Swatch};
use super::{Chart, ChartError, ticks};
use crate::report::Table;
use crate::report::table::{Cell, Unit};
use plotters::prelude::DrawingBackend;

/// Bars of every column of a table, a bar a run.
pub struct Bars<'a> {
    table: &'a Table,
    labels: &'a [Label],
    ticks: Vec<f64>,
}

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 262.0;
const RIGHT: f64 = 905.0;
const GROUP_GAP: f64 = 26.0;
const FOOT: f64 = 56.0;
const EM: f64 = 25.0;

impl<'a> Bars<'a> {
    pub fn of(table: &'a Table, labels: &'a [Label]) -> Self {
        let cells = table.rows.iter().flat_map(|row| &row.cells);
        let top = cells
            .filter_map(|cell| match (cell.value, cell.high) {
                (Some(value), Some(high)) => Some(value.max(high)),
                (value, _) => value,
            })
            .fold(0.0, f64::max);
        Self {
            table,
            labels,
            ticks: ticks(top),
        }
    }

    /// Whether any bar has a whisker.
    pub fn has_intervals(&self) -> bool {
        let mut cells = self.table.rows.iter().flat_map(|row| &row.cells);
        cells.any(|cell| cell.low.is_some() && cell.high.is_some())
    }

    fn bar_height(&self) -> f64 {
        match self.table.rows.len() {
            0 | 1 => 32.0,
            2 | 3 => 25.0,
            _ => 18.0,
        }
    }

    /// Units from one group to the next; at least two lines of text.
    fn pitch(&self) -> f64 {
        let bars = self.bar_height() * self.table.rows.len() as f64;
        bars.max(EM * 2.3) + GROUP_GAP
    }

    fn x(&self, value: f64) -> f64 {
        let top = self.ticks.last().copied().unwrap_or(1.0);
        LEFT + (RIGHT - LEFT) * (value / top).clamp(0.0, 1.0)
    }

    fn tick_text(&self, value: f64) -> String {
        match self.table.unit {
            Unit::Percent => trim(format!("{:.1}", value * 100.0)),
            Unit::Decimal4 => trim(format!("{value:.3}")),
        }
    }

    fn bar<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        (index, top): (usize, f64),
        cell: &Cell,
    ) -> Result<(), ChartError> {
        let Some(value) = cell.value else {
            return canvas.plain(
                "no score",
                (LEFT + 8.0, top + self.bar_height() / 2.0),
                Type::new(18.0, SOFT, Align::Left),
            );
        };
        let height = self.bar_height();
        let middle = top + height / 2.0;
        let end = self.x(value);
        Look::new(index).fill(canvas, (LEFT, top + 1.0), (end, top + height - 1.0))?;
        let mut text_from = end;
        if let (Some(low), Some(high)) = (cell.low, cell.high) {
            let (low, high) = (self.x(low), self.x(high));
            let cap = height * 0.22;
            for (color, width) in [(PAPER, 6.0), (INK, 2.5)] {
                canvas.line(&[(low, middle), (high, middle)], color, width)?;
                canvas.line(&[(low, middle - cap), (low, middle + cap)], color, width)?;
                canvas.line(&[(high, middle - cap), (high, middle + cap)], color, width)?;
            }
            text_from = end.max(high);
        }
        canvas.plain(
            &match self.table.unit {
                Unit::Percent => self.table.number(Some(value)),
                Unit::Decimal4 => format!("{value:.3}"),
            },
            (text_from + 10.0, middle),
            Type::new((height * 0.95).min(21.0), INK, Align::Left),
        )
    }
}

/// Without a tail of zeros.
fn trim(number: String) -> String {
    number
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

impl Chart for Bars<'_> {
    fn size(&self) -> (f64, f64) {
        let groups = self.table.columns.len() as f64;
        let legend = Legend::of(self.labels, WIDTH, Swatch::Fill).height();
        (WIDTH, (legend + self.pitch() * groups + FOOT + 16.0).ceil())
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let top = Legend::of(self.labels, WIDTH, Swatch::Fill).height() + 8.0;
        let bottom = top + self.pitch() * self.table.columns.len() as f64;
        Legend::of(self.labels, WIDTH, Swatch::Fill).draw(canvas)?;
        for tick in &self.ticks {
            let x = self.x(*tick);
            canvas.line(&[(x, top), (x, bottom)], GRID, 1.5)?;
            canvas.plain(
                &self.tick_text(*tick),
                (x, bottom + 24.0),
                Type::new(22.0, SOFT, Align::Center),
            )?;
        }
        let bars = self.bar_height() * self.table.rows.len() as f64;
        for (column, name) in self.table.columns.iter().enumerate() {
            let middle = top + self.pitch() * (column as f64 + 0.5);
            let label = Label {
                text: name.clone(),
                id: format!("group {column}"),
            };
            let mut look = Type::new(EM, INK, Align::Right);
            look.bold = column == 0;
            canvas.block(&label, (LEFT - 14.0, middle), look, LEFT - 28.0, 2)?;
            for (index, row) in self.table.rows.iter().enumerate() {
                let y = middle - bars / 2.0 + self.bar_height() * index as f64;
                self.bar(canvas, (index, y), &row.cells[column])?;
            }
        }
        canvas.line(&[(LEFT, top), (LEFT, bottom)], INK, 2.0)
    }
}
