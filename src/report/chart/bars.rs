//! Grouped bars with interval whiskers: one group on each line, so that long names have room.

use super::axis::Axis;
use super::canvas::{Align, Canvas, GRID, INK, Label, PAPER, SMALL, SOFT, Type};
use super::draw::{Chart, Width};
use super::error::ChartError;
use super::font;
use super::frame::{steps, tick_texts};
use super::series::{Legend, Look, Swatch};
use crate::report::table::{Cell, Table, Unit};
use plotters::prelude::DrawingBackend;

/// Bars of every column of a table, one for each run.
pub struct Bars<'a> {
    table: &'a Table,
    labels: &'a [Label],
    width: Width,
}

const MARGIN: f64 = 12.0;
const GROUP_GAP: f64 = 26.0;
const FOOT: f64 = 52.0;
const LEADING: f64 = SMALL * 1.2;
/// How many lines a group's name may take.
const LINES: usize = 3;
/// If there are more bars than these, they are thin and have no numbers.
const NUMBERED: usize = 6;

impl<'a> Bars<'a> {
    /// Bars of a table, whose rows have these labels.
    pub fn from_table(table: &'a Table, labels: &'a [Label], width: Width) -> Self {
        Self {
            table,
            labels,
            width,
        }
    }

    /// Whether any bar has a whisker.
    pub fn has_intervals(&self) -> bool {
        let mut cells = self.table.rows.iter().flat_map(|row| &row.cells);
        cells.any(|cell| cell.low.is_some() && cell.high.is_some())
    }

    fn legend(&self) -> Legend<'a> {
        Legend::from_labels(self.labels, self.width.units(), Swatch::Fill)
    }

    fn bar_height(&self) -> f64 {
        match self.table.rows.len() {
            0 | 1 => 34.0,
            2..=NUMBERED => 30.0,
            _ => 18.0,
        }
    }

    /// Units that the names of groups take.
    fn names(&self) -> f64 {
        let columns = self.table.columns.iter();
        let widest = columns
            .map(|name| font::width(name, SMALL))
            .fold(0.0, f64::max);
        // The first name is bold.
        (widest * 1.1 + 2.0).min(self.width.units() * 0.27)
    }

    /// Left and right edge of the plot.
    fn edges(&self) -> (f64, f64) {
        let number = match self.table.rows.len() {
            0..=NUMBERED => font::width("−00.00", SMALL),
            _ => 24.0,
        };
        let left = MARGIN + self.names() + 14.0;
        (left, self.width.units() - MARGIN - number)
    }

    /// A value in the unit that is printed.
    fn shown(&self, value: f64) -> f64 {
        match self.table.unit {
            Unit::Percent => value * 100.0,
            Unit::Decimal4 | Unit::Printed => value,
        }
    }

    fn axis(&self) -> Axis {
        let cells = self.table.rows.iter().flat_map(|row| &row.cells);
        let ends = cells.flat_map(|cell| [cell.value, cell.low, cell.high]);
        let values: Vec<f64> = ends
            .flatten()
            .map(|value| self.shown(value))
            .chain([0.0])
            .collect();
        let (left, right) = self.edges();
        let first = Axis::rounded(values.iter().copied(), 4);
        let steps = steps(right - left, first.ticks());
        let axis = Axis::rounded(values.iter().copied(), steps.min(5));
        if values.iter().any(|value| *value != 0.0) {
            axis
        } else {
            Axis::rounded([0.0, self.shown(1.0)], 4)
        }
    }

    /// Units from one group to the next.
    fn pitch(&self) -> f64 {
        let bars = self.bar_height() * self.table.rows.len() as f64;
        let lines = |name: &String| font::wrap(name, SMALL, self.names(), LINES).len();
        let most = self.table.columns.iter().map(lines).max().unwrap_or(1);
        bars.max(most as f64 * LEADING) + GROUP_GAP
    }

    fn number(&self, value: f64) -> String {
        let text = match self.table.unit {
            Unit::Percent => self.table.number(Some(value)),
            Unit::Decimal4 | Unit::Printed => format!("{value:.3}"),
        };
        text.replace('-', "−")
    }

    fn bar<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        (index, top): (usize, f64),
        cell: &Cell,
        x: impl Fn(f64) -> f64,
    ) -> Result<(), ChartError> {
        let numbered = self.table.rows.len() <= NUMBERED;
        let height = self.bar_height();
        let middle = top + height / 2.0;
        let zero = x(0.0);
        let Some(value) = cell.value else {
            let look = Type::new(height.min(SMALL), SOFT, Align::Left);
            return canvas.plain("no score", (zero + 8.0, middle), look);
        };
        let end = x(self.shown(value));
        let (from, to) = (zero.min(end), zero.max(end));
        Look::new(index).fill_box(canvas, (from, top + 1.0), (to, top + height - 1.0))?;
        let mut text_from = to;
        if let (Some(low), Some(high)) = (cell.low, cell.high) {
            let (low, high) = (x(self.shown(low)), x(self.shown(high)));
            let cap = height * 0.22;
            for (color, width) in [(PAPER, 6.0), (INK, 2.5)] {
                canvas.line(&[(low, middle), (high, middle)], color, width)?;
                canvas.line(&[(low, middle - cap), (low, middle + cap)], color, width)?;
                canvas.line(&[(high, middle - cap), (high, middle + cap)], color, width)?;
            }
            text_from = to.max(high);
        }
        if !numbered {
            return Ok(());
        }
        let look = Type::new(SMALL, INK, Align::Left);
        canvas.plain(&self.number(value), (text_from + 10.0, middle), look)
    }
}

impl Chart for Bars<'_> {
    fn size(&self) -> (f64, f64) {
        let groups = self.table.columns.len() as f64;
        let height = self.legend().height() + self.pitch() * groups + FOOT + 16.0;
        (self.width.units(), height.ceil())
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let legend = self.legend();
        let top = legend.height() + 8.0;
        let bottom = top + self.pitch() * self.table.columns.len() as f64;
        legend.draw(canvas)?;
        let (axis, (left, right)) = (self.axis(), self.edges());
        let x = |value: f64| left + (right - left) * axis.position_of(value);
        let ticks = axis.ticks().iter();
        let ticks: Vec<(f64, &str)> = ticks
            .map(|(value, text)| (x(*value), text.as_str()))
            .collect();
        for (x, _) in &ticks {
            canvas.line(&[(*x, top), (*x, bottom)], GRID, 1.5)?;
        }
        tick_texts(canvas, &ticks, bottom + 24.0)?;
        let bars = self.bar_height() * self.table.rows.len() as f64;
        for (column, name) in self.table.columns.iter().enumerate() {
            let middle = top + self.pitch() * (column as f64 + 0.5);
            let label = Label {
                text: name.clone(),
                id: format!("group {column}"),
            };
            let mut look = Type::new(SMALL, INK, Align::Right);
            look.bold = column == 0;
            canvas.block(&label, (left - 14.0, middle), look, self.names(), LINES)?;
            for (index, row) in self.table.rows.iter().enumerate() {
                let y = middle - bars / 2.0 + self.bar_height() * index as f64;
                self.bar(canvas, (index, y), &row.cells[column], x)?;
            }
        }
        canvas.line(&[(x(0.0), top), (x(0.0), bottom)], INK, 2.0)
    }
}
