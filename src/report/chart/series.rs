//! What tells models apart: colour, hatching, dashes and markers, so that grey print and colour-blind eyes still can.

use super::ChartError;
use super::canvas::{Align, Canvas, INK, Label, Type};
use super::font;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

/// The colours of Okabe and Ito (2008), ordered so that neighbours differ in lightness; grey in place of black, which
/// a dark page would swallow.
const COLORS: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0xf0, 0xe4, 0x42),
    RGBColor(0x7a, 0x7a, 0x7a),
];

/// Directions of hatching lines; empty is solid.
const HATCHES: [&[Hatch]; 6] = [
    &[],
    &[Hatch::Rising],
    &[Hatch::Falling],
    &[Hatch::Upright],
    &[Hatch::Rising, Hatch::Falling],
    &[Hatch::Level],
];

/// Dash and gap in units; empty is solid.
const DASHES: [&[f64]; 5] = [
    &[],
    &[18.0, 9.0],
    &[5.0, 7.0],
    &[24.0, 7.0, 5.0, 7.0],
    &[36.0, 10.0],
];

#[derive(Clone, Copy)]
enum Hatch {
    Rising,
    Falling,
    Upright,
    Level,
}

/// White of hatching, one step off the paper's, so that a dark page keeps it.
const HATCH_LIGHT: RGBColor = RGBColor(0xfe, 0xfe, 0xfe);
const HATCH_DARK: RGBColor = RGBColor(0x33, 0x33, 0x33);

/// The look of the series at `index`; repeats after 40 series.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    index: usize,
}

impl Look {
    pub fn new(index: usize) -> Self {
        Self { index }
    }

    pub fn color(self) -> RGBColor {
        COLORS[self.index % COLORS.len()]
    }

    /// The colour of lines and markers: yellow is too light for them and takes a darker shade.
    pub fn line_color(self) -> RGBColor {
        match self.color() {
            RGBColor(0xf0, 0xe4, 0x42) => RGBColor(0xb5, 0xa2, 0x00),
            color => color,
        }
    }

    pub fn dash(self) -> &'static [f64] {
        DASHES[self.index % DASHES.len()]
    }

    /// A filled, hatched box.
    pub fn fill<DB: DrawingBackend>(
        self,
        canvas: &Canvas<'_, DB>,
        a: (f64, f64),
        b: (f64, f64),
    ) -> Result<(), ChartError> {
        let color = self.color();
        canvas.fill(a, b, color)?;
        let lightness =
            0.3 * f64::from(color.0) + 0.59 * f64::from(color.1) + 0.11 * f64::from(color.2);
        let line = if lightness > 150.0 {
            HATCH_DARK
        } else {
            HATCH_LIGHT
        };
        for hatch in HATCHES[self.index % HATCHES.len()] {
            for (from, to) in hatch_lines(*hatch, a, b) {
                canvas.line(&[from, to], line, 2.0)?;
            }
        }
        Ok(())
    }

    /// A marker of about `radius`: disc, square, triangle, diamond in turn.
    pub fn marker<DB: DrawingBackend>(
        self,
        canvas: &Canvas<'_, DB>,
        (x, y): (f64, f64),
        radius: f64,
    ) -> Result<(), ChartError> {
        let color = self.line_color();
        let r = radius;
        match self.index % 4 {
            0 => canvas.disc((x, y), r, color),
            1 => canvas.fill(
                (x - r * 0.9, y - r * 0.9),
                (x + r * 0.9, y + r * 0.9),
                color,
            ),
            2 => canvas.area(
                &[
                    (x, y - r * 1.2),
                    (x + r * 1.1, y + r * 0.8),
                    (x - r * 1.1, y + r * 0.8),
                ],
                color,
                1.0,
            ),
            _ => canvas.area(
                &[
                    (x, y - r * 1.25),
                    (x + r * 1.25, y),
                    (x, y + r * 1.25),
                    (x - r * 1.25, y),
                ],
                color,
                1.0,
            ),
        }
    }
}

/// The parts of hatching lines that lie in the box from `a` (top left) to `b`.
fn hatch_lines(hatch: Hatch, a: (f64, f64), b: (f64, f64)) -> Vec<((f64, f64), (f64, f64))> {
    let (width, height) = (b.0 - a.0, b.1 - a.1);
    let step = 9.0;
    let count = |length: f64| {
        (1..)
            .map(|i| step * f64::from(i))
            .take_while(move |d| *d < length)
    };
    match hatch {
        Hatch::Upright => count(width)
            .map(|d| ((a.0 + d, a.1), (a.0 + d, b.1)))
            .collect(),
        Hatch::Level => count(height)
            .map(|d| ((a.0, a.1 + d), (b.0, a.1 + d)))
            .collect(),
        // `d` is the distance along the lower and then the right edge (x + y = d from the bottom left corner).
        Hatch::Rising | Hatch::Falling => count((width + height) / 1.4)
            .map(|d| {
                let d = d * 1.4;
                let (x0, x1) = ((d - height).max(0.0), d.min(width));
                let (y0, y1) = (d - x0, d - x1);
                match hatch {
                    Hatch::Falling => ((a.0 + x0, b.1 - y0), (a.0 + x1, b.1 - y1)),
                    _ => ((a.0 + x0, a.1 + y0), (a.0 + x1, a.1 + y1)),
                }
            })
            .collect(),
    }
}

/// How an entry of a legend is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Swatch {
    Fill,
    Line,
}

const EM: f64 = 24.0;
const KEY: f64 = 44.0;
const GAP: f64 = 34.0;
const LEADING: f64 = 38.0;

/// Left edge and row of each entry, and the number of rows, when entries flow into `width`.
fn flow(labels: &[Label], width: f64) -> (Vec<(f64, usize)>, usize) {
    let (mut x, mut row) = (0.0, 0);
    let mut places = Vec::with_capacity(labels.len());
    for label in labels {
        let wide = (KEY + 10.0 + font::width(&label.text, EM)).min(width);
        if x > 0.0 && x + wide > width {
            (x, row) = (0.0, row + 1);
        }
        places.push((x, row));
        x += wide + GAP;
    }
    (places, row + 1)
}

/// Units that a legend of this width takes; none for a single series.
pub fn legend_height(labels: &[Label], width: f64) -> f64 {
    if labels.len() < 2 {
        return 0.0;
    }
    flow(labels, width).1 as f64 * LEADING + 14.0
}

/// Draws the legend with its top left corner at `at`.
pub fn legend<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    labels: &[Label],
    at: (f64, f64),
    width: f64,
    swatch: Swatch,
) -> Result<(), ChartError> {
    if labels.len() < 2 {
        return Ok(());
    }
    for (index, ((x, row), label)) in flow(labels, width).0.into_iter().zip(labels).enumerate() {
        let look = Look::new(index);
        let (x, y) = (at.0 + x, at.1 + LEADING * (row as f64 + 0.5));
        match swatch {
            Swatch::Fill => look.fill(canvas, (x, y - 11.0), (x + KEY, y + 11.0))?,
            Swatch::Line => {
                canvas.dashed(&[(x, y), (x + KEY, y)], look.line_color(), 4.0, look.dash())?;
                look.marker(canvas, (x + KEY / 2.0, y), 9.0)?;
            }
        }
        let room = width - (x - at.0) - KEY - 10.0;
        canvas.block(
            label,
            (x + KEY + 10.0, y),
            Type::new(EM, INK, Align::Left),
            room,
            1,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hatching_stays_inside_its_box() {
        let (a, b) = ((10.0, 20.0), (97.0, 44.0));
        for hatch in [Hatch::Rising, Hatch::Falling, Hatch::Upright, Hatch::Level] {
            let lines = hatch_lines(hatch, a, b);
            assert!(!lines.is_empty());
            for point in lines.iter().flat_map(|line| [line.0, line.1]) {
                assert!(
                    (a.0..=b.0).contains(&point.0) && (a.1..=b.1).contains(&point.1),
                    "{point:?}"
                );
            }
        }
    }
}
