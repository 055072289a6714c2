//! Two axes with their titles around a plot.

use super::axis::Axis;
use super::canvas::{Align, Canvas, GRID, INK, Label, SMALL, SOFT, Type};
use super::error::ChartError;
use super::font;
use plotters::prelude::DrawingBackend;

/// The plot's edges in units, and its axes.
pub(super) struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Axis,
    y: Axis,
    x_title: String,
    y_title: String,
}

/// Units under the plot: ticks and title.
pub(super) const FOOT: f64 = 104.0;
const TICK: f64 = 28.0;
const MARGIN: f64 = 12.0;

impl Frame {
    /// A plot of `height` units under `top`, in a chart of `width` units. `[x, y]` of axes and titles.
    pub(super) fn new(
        (width, top, height): (f64, f64, f64),
        [x, y]: [Axis; 2],
        [x_title, y_title]: [&str; 2],
    ) -> Self {
        let wide = |(_, text): &(f64, String)| font::width(text, SMALL);
        let ticks = y.ticks().iter().map(wide).fold(0.0, f64::max);
        let title = if y_title.is_empty() { 0.0 } else { SMALL * 1.5 };
        let last = x.ticks().last().map_or(0.0, wide) / 2.0;
        Self {
            left: MARGIN + title + ticks + 14.0,
            right: width - MARGIN - last.min(width / 8.0),
            top,
            bottom: top + height,
            x,
            y,
            x_title: x_title.to_owned(),
            y_title: y_title.to_owned(),
        }
    }

    /// The point of a value.
    pub(super) fn point_at(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.left + (self.right - self.left) * self.x.position_of(x),
            self.bottom - (self.bottom - self.top) * self.y.position_of(y),
        )
    }

    /// Left, right, top and bottom of the plot.
    pub(super) fn edges(&self) -> [f64; 4] {
        [self.left, self.right, self.top, self.bottom]
    }

    /// Grid, ticks and titles.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub(super) fn draw<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
    ) -> Result<(), ChartError> {
        for (value, text) in self.y.ticks() {
            let (_, y) = self.point_at(f64::NAN, *value);
            canvas.line(&[(self.left, y), (self.right, y)], GRID, 1.5)?;
            let look = Type::new(SMALL, SOFT, Align::Right);
            canvas.plain(text, (self.left - 12.0, y), look)?;
        }
        let ticks = self.x.ticks().iter();
        let ticks: Vec<(f64, &str)> = ticks
            .map(|(value, text)| (self.point_at(*value, f64::NAN).0, text.as_str()))
            .collect();
        for (x, _) in &ticks {
            canvas.line(&[(*x, self.bottom), (*x, self.bottom + 9.0)], INK, 2.0)?;
        }
        tick_texts(canvas, &ticks, self.bottom + TICK)?;
        canvas.line(
            &[(self.left, self.bottom), (self.right, self.bottom)],
            INK,
            2.0,
        )?;
        let middle = (self.left + self.right) / 2.0;
        let look = Type::new(SMALL, INK, Align::Center);
        let title = Label::plain(&self.x_title);
        let room = self.right - self.left;
        canvas.block(&title, (middle, self.bottom + 74.0), look, room, 1)?;
        let mut upright = look;
        upright.upright = true;
        let title = font::wrap(&self.y_title, SMALL, self.bottom - self.top, 1);
        let at = (MARGIN + SMALL / 2.0, (self.top + self.bottom) / 2.0);
        canvas.plain(&title.concat(), at, upright)
    }
}

/// The texts of ticks at their places from left to right. A text that would overlap the one before is left
/// out.
///
/// # Errors
/// Fails if the backend fails.
pub(super) fn tick_texts<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    ticks: &[(f64, &str)],
    y: f64,
) -> Result<(), ChartError> {
    let mut free = f64::NEG_INFINITY;
    for (x, text) in ticks {
        let half = font::width(text, SMALL) / 2.0;
        if x - half < free {
            continue;
        }
        free = x + half + 14.0;
        canvas.plain(text, (*x, y), Type::new(SMALL, SOFT, Align::Center))?;
    }
    Ok(())
}

/// How many ticks a plot of `width` units has room for, when the longest text is as long as one of these.
pub(super) fn steps(width: f64, texts: &[(f64, String)]) -> usize {
    let wide = |(_, text): &(f64, String)| font::width(text, SMALL) + 40.0;
    let widest = texts.iter().map(wide).fold(60.0, f64::max);
    ((width / widest) as usize).clamp(1, 10)
}
