//! A radar of the groups: one axis for each group, and one outline for each run.

use super::axis::Axis;
use super::canvas::{Align, Canvas, GRID, INK, Label, SMALL, SOFT, Type};
use super::draw::Chart;
use super::error::ChartError;
use super::font;
use super::series::{Legend, Look, Swatch};
use crate::report::table::{Table, Unit};
use plotters::prelude::DrawingBackend;
use std::f64::consts::TAU;

/// Outlines over 3 to 16 axes.
pub struct Radar<'a> {
    table: &'a Table,
    labels: &'a [Label],
    axis: Axis,
    unit: f64,
    center: (f64, f64),
    height: f64,
}

const WIDTH: f64 = 1000.0;
const RADIUS: f64 = 262.0;
const LABEL_WIDTH: f64 = 205.0;
/// How many lines a label may take.
const LINES: usize = 4;
const LEADING: f64 = SMALL * 1.2;
/// From the outermost ring to a label.
const GAP: f64 = 22.0;
/// From the outermost ring to the end of a marker on it.
const MARKER: f64 = 12.0;
const MARGIN: f64 = 14.0;

impl<'a> Radar<'a> {
    /// `None` if the groups are too few to span an area or too many to be distinguished, or where a run has
    /// no score.
    pub fn from_table(table: &'a Table, labels: &'a [Label]) -> Option<Self> {
        let groups = table.columns.len() - 1;
        let values: Vec<f64> = table
            .rows
            .iter()
            .flat_map(|row| &row.cells[1..])
            .filter_map(|cell| cell.value)
            .collect();
        let unit = match table.unit {
            Unit::Percent => 100.0,
            Unit::Decimal4 | Unit::Printed => 1.0,
        };
        if !(3..=16).contains(&groups) || values.is_empty() {
            return None;
        }
        let legend = Legend::from_labels(labels, WIDTH, Swatch::Line).height();
        let (above, below) = reach(&table.columns[1..]);
        let center = (WIDTH / 2.0, legend + MARGIN + above);
        let shown = values.iter().map(|value| value * unit);
        Some(Self {
            table,
            labels,
            center,
            height: (center.1 + below + MARGIN).ceil(),
            axis: if values.iter().any(|value| *value != 0.0) {
                Axis::rounded(shown.chain([0.0]), 4)
            } else {
                Axis::rounded([0.0, unit], 4)
            },
            unit,
        })
    }

    fn axes(&self) -> usize {
        self.table.columns.len() - 1
    }

    /// The point of a value in the printed unit. The least tick is the centre.
    fn point(&self, axis: usize, value: f64) -> (f64, f64) {
        let length = RADIUS * self.axis.position_of(value);
        let (dx, dy) = direction(axis, self.axes());
        let (x, y) = self.center;
        (x + dx * length, y + dy * length)
    }

    fn grid<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        for (tick, _) in self.axis.ticks() {
            let ring: Vec<_> = (0..=self.axes())
                .map(|axis| self.point(axis % self.axes(), *tick))
                .collect();
            canvas.line(&ring, GRID, 1.5)?;
        }
        let top = f64::INFINITY;
        for axis in 0..self.axes() {
            canvas.line(&[self.center, self.point(axis, top)], GRID, 1.5)?;
            let (dx, _) = direction(axis, self.axes());
            let (x, y) = self.center;
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
            let (across, down) = label_place(axis, self.axes(), name);
            let at = (x + across, y + down);
            let look = Type::new(SMALL, INK, align);
            canvas.block(&label, at, look, LABEL_WIDTH, LINES)?;
        }
        Ok(())
    }

    /// Numbers beside the first axis.
    fn scale<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        for (tick, text) in self.axis.ticks().iter().skip(1) {
            let (x, y) = self.point(0, *tick);
            let look = Type::new(SMALL, SOFT, Align::Left);
            canvas.plain(text, (x + 8.0, y + 16.0), look)?;
        }
        Ok(())
    }
}

/// Unit vector of an axis. The first points upwards, the others follow clockwise.
fn direction(axis: usize, axes: usize) -> (f64, f64) {
    let angle = TAU * axis as f64 / axes as f64;
    (angle.sin(), -angle.cos())
}

/// Half of the height of a label.
fn half_height(name: &str) -> f64 {
    LEADING * font::wrap(name, SMALL, LABEL_WIDTH, LINES).len() as f64 / 2.0
}

/// Where the middle of an axis's label is, from the centre.
fn label_place(axis: usize, axes: usize, name: &str) -> (f64, f64) {
    let (dx, dy) = direction(axis, axes);
    let away = RADIUS + GAP;
    (dx * away, dy * (away + half_height(name)))
}

/// How far rings, markers and labels reach above and below the centre.
fn reach(names: &[String]) -> (f64, f64) {
    let mut reach = (0.0, 0.0);
    for (axis, name) in names.iter().enumerate() {
        let (_, middle) = label_place(axis, names.len(), name);
        let (_, dy) = direction(axis, names.len());
        let half = half_height(name);
        for end in [
            middle - half,
            middle + half,
            dy * RADIUS - MARKER,
            dy * RADIUS + MARKER,
        ] {
            reach = (f64::max(reach.0, -end), f64::max(reach.1, end));
        }
    }
    reach
}

impl Chart for Radar<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, self.height)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        Legend::from_labels(self.labels, WIDTH, Swatch::Line).draw(canvas)?;
        self.grid(canvas)?;
        for (index, row) in self.table.rows.iter().enumerate() {
            let look = Look::new(index);
            // A missing value leaves a gap in the outline rather than a dent to zero.
            let points: Vec<Option<(f64, f64)>> = (0..self.axes())
                .map(|axis| {
                    row.cells[axis + 1]
                        .value
                        .map(|value| self.point(axis, value * self.unit))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_radar_takes_the_room_that_its_rings_and_labels_need() {
        let names = |count: usize| vec!["two_object".to_owned(); count];
        let label = GAP + LEADING;
        // Three axes: the lower two end at half of the radius, and their labels are a little below.
        let (above, below) = reach(&names(3));
        assert!((above - RADIUS - label).abs() < 1e-9, "{above}");
        assert!(below < RADIUS / 2.0 + label, "{below}");
        let (above, below) = reach(&names(4));
        assert_eq!(above, below);
        let long = "a name with many words in it that takes several lines".to_owned();
        assert!(reach(&[long, "b".to_owned(), "c".to_owned()]).0 > above);
    }
}
