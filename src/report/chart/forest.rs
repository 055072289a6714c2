//! A forest plot: differences to a control with their intervals around a zero line.

use super::axis::Axis;
use super::canvas::{Align, Canvas, GRID, INK, Label, PAPER, SMALL, SOFT, Type};
use super::draw::{Chart, Width};
use super::error::ChartError;
use super::font;
use super::frame::{FOOT, steps};
use super::series::Look;
use plotters::prelude::DrawingBackend;

/// One difference.
#[derive(Debug, Clone)]
pub struct Effect {
    /// What the difference is of.
    pub label: Label,
    /// The colour and the mark.
    pub look: Look,
    /// `None` if there is nothing to compare.
    pub value: Option<f64>,
    /// The 95 % interval. `None` without spread.
    pub interval: Option<(f64, f64)>,
    /// Whether it is beyond chance. Then its mark is filled.
    pub sure: bool,
    /// The numbers as printed beside it.
    pub text: String,
}

/// Differences, one on each line.
#[derive(Debug, Clone)]
pub struct Forest {
    /// From top to bottom.
    pub effects: Vec<Effect>,
    /// The title of the axis.
    pub x: String,
    /// How wide it is printed.
    pub width: Width,
}

const TOP: f64 = 12.0;
const MARGIN: f64 = 12.0;
const GAP: f64 = 22.0;
const LEADING: f64 = SMALL * 1.2;
/// How many lines a label may take.
const LINES: usize = 3;

impl Forest {
    /// The largest part of the width that labels take.
    fn labels(&self) -> f64 {
        let wide = |effect: &Effect| font::width(&effect.label.text, SMALL);
        let widest = self.effects.iter().map(wide).fold(0.0, f64::max) + 2.0;
        widest.min(self.width.units() * 0.3)
    }

    /// Left and right edge of the plot.
    fn edges(&self) -> (f64, f64) {
        let wide = |effect: &Effect| font::width(&effect.text, SMALL);
        let texts = self.effects.iter().map(wide).fold(0.0, f64::max);
        let right = self.width.units() - MARGIN - texts - GAP;
        (MARGIN + self.labels() + GAP, right)
    }

    fn rows(&self) -> Vec<f64> {
        let lines = |effect: &Effect| {
            font::wrap(&effect.label.text, SMALL, self.labels(), LINES).len() as f64
        };
        self.effects
            .iter()
            .map(|effect| lines(effect) * LEADING + 22.0)
            .collect()
    }

    fn bottom(&self) -> f64 {
        TOP + self.rows().iter().sum::<f64>()
    }

    fn axis(&self) -> Axis {
        let values = || {
            let ends = |effect: &Effect| {
                let (low, high) = effect.interval.unzip();
                [effect.value, low, high]
            };
            let all = self.effects.iter().flat_map(ends).flatten();
            all.chain([0.0])
        };
        let (left, right) = self.edges();
        let first = Axis::rounded(values(), 4);
        Axis::rounded(values(), steps(right - left, first.ticks()).min(5))
    }

    fn effect<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        effect: &Effect,
        y: f64,
        x: impl Fn(f64) -> f64,
    ) -> Result<(), ChartError> {
        let text = Type::new(SMALL, INK, Align::Right);
        let (left, _) = self.edges();
        canvas.block(&effect.label, (left - GAP, y), text, self.labels(), LINES)?;
        let Some(value) = effect.value else {
            let none = Type::new(SMALL, SOFT, Align::Right);
            return canvas.plain(&effect.text, (self.width.units() - MARGIN, y), none);
        };
        let color = effect.look.line_color();
        if let Some((low, high)) = effect.interval {
            let (low, high) = (x(low), x(high));
            canvas.line(&[(low, y), (high, y)], color, 4.5)?;
            for end in [low, high] {
                canvas.line(&[(end, y - 9.0), (end, y + 9.0)], color, 3.0)?;
            }
        }
        canvas.disc((x(value), y), 11.5, color)?;
        if !effect.sure {
            canvas.disc((x(value), y), 6.5, PAPER)?;
        }
        canvas.plain(&effect.text, (self.width.units() - MARGIN, y), text)
    }
}

impl Chart for Forest {
    fn size(&self) -> (f64, f64) {
        (self.width.units(), (self.bottom() + FOOT).ceil())
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let (axis, (left, right), bottom) = (self.axis(), self.edges(), self.bottom());
        let x = |value: f64| left + (right - left) * axis.position_of(value);
        for (value, text) in axis.ticks() {
            let at = x(*value);
            let (color, width) = if *value == 0.0 {
                (INK, 2.5)
            } else {
                (GRID, 1.5)
            };
            canvas.line(&[(at, TOP), (at, bottom)], color, width)?;
            let look = Type::new(SMALL, SOFT, Align::Center);
            canvas.plain(text, (at, bottom + 24.0), look)?;
        }
        let mut top = TOP;
        for (effect, height) in self.effects.iter().zip(self.rows()) {
            self.effect(canvas, effect, top + height / 2.0, x)?;
            top += height;
        }
        let title = Label::plain(&self.x);
        let room = self.width.units() - 2.0 * MARGIN;
        let middle = (left + right) / 2.0;
        let half = font::width(&self.x, SMALL).min(room) / 2.0;
        let middle = middle.clamp(MARGIN + half, (MARGIN + room - half).max(MARGIN + half));
        let look = Type::new(SMALL, INK, Align::Center);
        canvas.block(&title, (middle, bottom + 70.0), look, room, 1)
    }
}
