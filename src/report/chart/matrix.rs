//! A heat map of numbers: a line for each level, a column for each group, and the number in each cell.

use super::canvas::{Align, Canvas, GRID, INK, Label, ON_DARK, ON_LIGHT, PAPER, SMALL, SOFT, Type};
use super::draw::{Chart, Width};
use super::error::ChartError;
use super::font;
use super::heat::ramp;
use plotters::prelude::DrawingBackend;

/// Numbers by line and column.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// The names of the rows.
    pub rows: Vec<Label>,
    /// The names of the columns.
    pub columns: Vec<Label>,
    /// `cells[row][column]`.
    pub cells: Vec<Vec<Option<f64>>>,
    /// How many digits follow the point.
    pub decimals: usize,
    /// How wide it is printed.
    pub width: Width,
}

const MARGIN: f64 = 12.0;
const ROW: f64 = 56.0;
const LEADING: f64 = SMALL * 1.2;
/// The longest upright heading. A longer one is cut.
const HEAD: f64 = 330.0;
/// How many lines a name may take.
const LINES: usize = 3;

/// How the headings of columns are set.
struct Heads {
    upright: bool,
    /// The lines of each heading.
    lines: Vec<Vec<String>>,
    height: f64,
}

impl Matrix {
    fn names(&self) -> f64 {
        let wide = |label: &Label| font::width(&label.text, SMALL);
        let widest = self.rows.iter().map(wide).fold(0.0, f64::max) + 2.0;
        widest.min(self.width.units() * 0.3)
    }

    fn left(&self) -> f64 {
        MARGIN + self.names() + 16.0
    }

    /// Units of a column.
    fn pitch(&self) -> f64 {
        let room = self.width.units() - MARGIN - self.left();
        (room / self.columns.len().max(1) as f64).min(260.0)
    }

    /// Headings are level where all words fit into their columns, and upright otherwise.
    fn heads(&self) -> Heads {
        let room = self.pitch() - 10.0;
        let words = |label: &Label| {
            let wide = |word: &str| font::width(word, SMALL);
            label.text.split_whitespace().map(wide).fold(0.0, f64::max)
        };
        let upright = self.columns.iter().map(words).fold(0.0, f64::max) > room;
        let (limit, most) = if upright {
            (HEAD, ((self.pitch() / LEADING) as usize).clamp(1, LINES))
        } else {
            (room, LINES)
        };
        let lines: Vec<Vec<String>> = self
            .columns
            .iter()
            .map(|label| font::wrap(&label.text, SMALL, limit, most))
            .collect();
        let wide = |line: &String| font::width(line, SMALL);
        let height = if upright {
            lines.iter().flatten().map(wide).fold(0.0, f64::max)
        } else {
            lines.iter().map(Vec::len).max().unwrap_or(0) as f64 * LEADING
        };
        Heads {
            upright,
            lines,
            height,
        }
    }

    fn top(&self) -> f64 {
        self.heads().height + 22.0
    }

    fn row_height(&self) -> f64 {
        let lines = |label: &Label| font::wrap(&label.text, SMALL, self.names(), LINES).len();
        let most = self.rows.iter().map(lines).max().unwrap_or(1) as f64;
        ROW.max(most * LEADING + 12.0)
    }

    fn bottom(&self) -> f64 {
        self.top() + self.row_height() * self.rows.len() as f64
    }

    /// Least and largest number.
    fn range(&self) -> (f64, f64) {
        let values = || self.cells.iter().flatten().flatten().copied();
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        (low, high)
    }

    /// How many digits all numbers have room for. `None` if there is no room for whole numbers.
    fn digits(&self) -> Option<usize> {
        let values = || self.cells.iter().flatten().flatten();
        let fits = |decimals: &usize| {
            let wide = |value: &f64| font::width(&text(*value, *decimals), SMALL);
            values().map(wide).fold(0.0, f64::max) < self.pitch() - 6.0
        };
        (0..=self.decimals).rev().find(fits)
    }

    fn heading<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let heads = self.heads();
        for (column, lines) in heads.lines.iter().enumerate() {
            let middle = self.left() + self.pitch() * (column as f64 + 0.5);
            let shift = |line: usize| (line as f64 - (lines.len() as f64 - 1.0) / 2.0) * LEADING;
            for (at, line) in lines.iter().enumerate() {
                let mut look = Type::new(SMALL, INK, Align::Center);
                look.upright = heads.upright;
                let place = if heads.upright {
                    look.align = Align::Left;
                    (middle + shift(at), self.top() - 12.0)
                } else {
                    (middle, self.top() - 12.0 - heads.height / 2.0 + shift(at))
                };
                canvas.plain(line, place, look)?;
            }
        }
        Ok(())
    }

    fn cell<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        value: Option<f64>,
        (left, top): (f64, f64),
    ) -> Result<(), ChartError> {
        let (a, b) = (
            (left + 1.5, top + 1.5),
            (left + self.pitch() - 1.5, top + self.row_height() - 1.5),
        );
        let Some(value) = value else {
            canvas.fill_rectangle(a, b, PAPER)?;
            canvas.line(&[(a.0, b.1), (b.0, a.1)], SOFT, 1.5)?;
            return canvas.outline(a, b, GRID, 1.5);
        };
        let (low, high) = self.range();
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        };
        canvas.fill_rectangle(a, b, ramp(share))?;
        let color = if share > 0.5 { ON_DARK } else { ON_LIGHT };
        match self.digits() {
            Some(digits) => canvas.plain(
                &text(value, digits),
                ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0),
                Type::new(SMALL, color, Align::Center),
            ),
            None => Ok(()),
        }
    }

    /// The scale under the cells.
    fn key<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let (low, high) = self.range();
        if low >= high {
            return Ok(());
        }
        let y = self.bottom() + 26.0;
        let [low, high] = [low, high].map(|value| text(value, self.decimals));
        let from = self.left() + font::width(&low, SMALL) + 14.0;
        let (steps, to) = (48, from + 260.0);
        for step in 0..steps {
            let x = from + (to - from) * f64::from(step) / f64::from(steps);
            let share = f64::from(step) / f64::from(steps - 1);
            canvas.fill_rectangle((x, y), (to, y + 22.0), ramp(share))?;
        }
        let look = |align| Type::new(SMALL, SOFT, align);
        canvas.plain(&low, (from - 12.0, y + 11.0), look(Align::Right))?;
        canvas.plain(&high, (to + 12.0, y + 11.0), look(Align::Left))
    }
}

fn text(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}").replace('-', "−")
}

impl Chart for Matrix {
    fn size(&self) -> (f64, f64) {
        (self.width.units(), (self.bottom() + 62.0).ceil())
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        self.heading(canvas)?;
        for (row, label) in self.rows.iter().enumerate() {
            let top = self.top() + self.row_height() * row as f64;
            let look = Type::new(SMALL, INK, Align::Right);
            let at = (self.left() - 16.0, top + self.row_height() / 2.0);
            canvas.block(label, at, look, self.names(), LINES)?;
            for (column, value) in self.cells[row].iter().enumerate() {
                let left = self.left() + self.pitch() * column as f64;
                self.cell(canvas, *value, (left, top))?;
            }
        }
        self.key(canvas)
    }
}
