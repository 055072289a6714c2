//! A radar of the groups: one axis a group, one outline a run.

use super::canvas::{Align, Canvas, GRID, INK, Label, SOFT, Type};
use super::series::{Legend, Look, Swatch};
use super::{Chart, ChartError, ticks};
use crate::report::Table;
use crate::report::table::Unit;
use plotters::prelude::DrawingBackend;
use std::f64::consts::TAU;

/// Outlines over 3 to 16 axes.
pub struct Radar<'a> {
    table: &'a Table,
    labels: &'a [Label],
    ticks: Vec<f64>,
}

const WIDTH: f64 = 1000.0;
const RADIUS: f64 = 275.0;
const LABEL_WIDTH: f64 = 200.0;
const EM: f64 = 23.0;
/// From the legend to the centre: the radius, and room for three lines of a label.
const HEAD: f64 = RADIUS + 100.0;

impl<'a> Radar<'a> {
    /// None where the groups are too few to span an area or too many to be told apart, or where a run has no score.
    pub fn of(table: &'a Table, labels: &'a [Label]) -> Option<Self> {
        let groups = table.columns.len() - 1;
        let values: Vec<f64> = table
            .rows
            .iter()
            .flat_map(|row| &row.cells[1..])
            .filter_map(|cell| cell.value)
            .collect();
        ((3..=16).contains(&groups) && !values.is_empty()).then(|| Self {
            table,
            labels,
            ticks: ticks(values.into_iter().fold(0.0, f64::max)),
        })
    }

    fn axes(&self) -> usize {
        self.table.columns.len() - 1
    }

    fn center(&self) -> (f64, f64) {
        let top = Legend::of(self.labels, WIDTH, Swatch::Line).height();
        (WIDTH / 2.0, top + HEAD)
    }

    /// Unit vector of an axis; the first points upwards, the others follow clockwise.
    fn direction(&self, axis: usize) -> (f64, f64) {
        let angle = TAU * axis as f64 / self.axes() as f64;
        (angle.sin(), -angle.cos())
    }

    fn point(&self, axis: usize, value: f64) -> (f64, f64) {
        let top = self.ticks.last().copied().unwrap_or(1.0);
        let length = RADIUS * (value / top).clamp(0.0, 1.0);
        let (dx, dy) = self.direction(axis);
        let (x, y) = self.center();
        (x + dx * length, y + dy * length)
    }

    fn grid<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        for tick in &self.ticks[1..] {
            let ring: Vec<_> = (0..=self.axes())
                .map(|axis| self.point(axis % self.axes(), *tick))
                .collect();
            canvas.line(&ring, GRID, 1.5)?;
        }
        let top = self.ticks.last().copied().unwrap_or(1.0);
        for axis in 0..self.axes() {
            canvas.line(&[self.center(), self.point(axis, top)], GRID, 1.5)?;
            let (dx, dy) = self.direction(axis);
            let (x, y) = self.center();
            let align = match dx {
                dx if dx > 0.2 => Align::Left,
                dx if dx < -0.2 => Align::Right,
                _ => Align::Center,
            };
            let name = &self.table.columns[axis + 1];
            let label = Label {
                text: name.clone(),
                id: format!("group {}", axis + 1),
            };
            let at = (x + dx * (RADIUS + 22.0), y + dy * (RADIUS + 50.0));
            let look = Type::new(EM, INK, align);
            canvas.block(&label, at, look, LABEL_WIDTH, 3)?;
        }
        Ok(())
    }

    /// Numbers beside the first axis.
    fn scale<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        for tick in &self.ticks[1..] {
            let (x, y) = self.point(0, *tick);
            let text = match self.table.unit {
                Unit::Percent => format!("{:.0}", tick * 100.0),
                Unit::Decimal4 => format!("{tick:.1}"),
            };
            canvas.plain(
                &text,
                (x + 8.0, y + 13.0),
                Type::new(18.0, SOFT, Align::Left),
            )?;
        }
        Ok(())
    }
}

impl Chart for Radar<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (self.center().1 + HEAD).ceil())
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        Legend::of(self.labels, WIDTH, Swatch::Line).draw(canvas)?;
        self.grid(canvas)?;
        for (index, row) in self.table.rows.iter().enumerate() {
            let look = Look::new(index);
            // A missing value leaves a gap in the outline rather than a dent to zero.
            let points: Vec<Option<(f64, f64)>> = (0..self.axes())
                .map(|axis| {
                    row.cells[axis + 1]
                        .value
                        .map(|value| self.point(axis, value))
                })
                .collect();
            if let Some(closed) = points.iter().copied().collect::<Option<Vec<_>>>()
                && self.table.rows.len() <= 3
            {
                canvas.area(&closed, look.color(), 0.08)?;
            }
            for axis in 0..self.axes() {
                if let (Some(from), Some(to)) = (points[axis], points[(axis + 1) % self.axes()]) {
                    canvas.dashed(&[from, to], look.line_color(), 3.5, look.dash())?;
                }
            }
            for point in points.into_iter().flatten() {
                look.marker(canvas, point, 8.0)?;
            }
        }
        self.scale(canvas)
    }
}
