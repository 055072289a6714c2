//! What distinguishes models: colour, hatching, dashes and markers. So a reader of a grey print, or one who
//! is colour-blind, can tell them apart.

use super::canvas::{Align, Canvas, INK, Label, ON_DARK, ON_LIGHT, PAPER, SMALL, Type};
use super::error::ChartError;
use super::font;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

/// The colours of Okabe and Ito (2008), ordered so that neighbours differ in lightness; grey in place of
/// black, which a dark page would swallow.
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

/// The look of the series at `index`. It repeats after 40 series.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    index: usize,
}

impl Look {
    /// The look of the series at this place; the colours come again after a while.
    pub fn new(index: usize) -> Self {
        Self { index }
    }

    /// The colour.
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

    /// Lengths of dashes and gaps in turn, in units; empty for a whole line.
    pub fn dash(self) -> &'static [f64] {
        DASHES[self.index % DASHES.len()]
    }

    /// A filled, hatched box.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn fill_box<DB: DrawingBackend>(
        self,
        canvas: &Canvas<'_, DB>,
        a: (f64, f64),
        b: (f64, f64),
    ) -> Result<(), ChartError> {
        let color = self.color();
        canvas.fill_rectangle(a, b, color)?;
        let lightness =
            0.3 * f64::from(color.0) + 0.59 * f64::from(color.1) + 0.11 * f64::from(color.2);
        let line = if lightness > 150.0 { ON_LIGHT } else { ON_DARK };
        for hatch in HATCHES[self.index % HATCHES.len()] {
            for (from, to) in hatch_lines(*hatch, a, b) {
                canvas.line(&[from, to], line, 2.0)?;
            }
        }
        Ok(())
    }

    /// A marker of about `radius`: disc, square, triangle, diamond in turn, hollow once the colours come
    /// again.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn marker<DB: DrawingBackend>(
        self,
        canvas: &Canvas<'_, DB>,
        at: (f64, f64),
        radius: f64,
    ) -> Result<(), ChartError> {
        self.shape(canvas, at, radius, self.line_color())?;
        match (self.index / COLORS.len()) % 2 {
            0 => Ok(()),
            _ => self.shape(canvas, at, radius * 0.5, PAPER),
        }
    }

    fn shape<DB: DrawingBackend>(
        self,
        canvas: &Canvas<'_, DB>,
        (x, y): (f64, f64),
        r: f64,
        color: RGBColor,
    ) -> Result<(), ChartError> {
        let corners: &[(f64, f64)] = match self.index % 4 {
            0 => return canvas.disc((x, y), r, color),
            1 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            2 => &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            _ => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
        };
        let corners: Vec<(f64, f64)> = corners
            .iter()
            .map(|(dx, dy)| (x + dx * r, y + dy * r))
            .collect();
        canvas.area(&corners, color, 1.0)
    }
}

/// The parts of hatching lines that are in the box from `a` (top left) to `b`.
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
        // `d` is the distance along the lower and then the right edge (x + y = d from the bottom left
        // corner).
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
pub(super) enum Swatch {
    Fill,
    Line,
    Mark,
}

const KEY: f64 = 46.0;
const GAP: f64 = 32.0;
const LEADING: f64 = 38.0;
const MARGIN: f64 = 10.0;
/// How many lines an entry may take.
const LINES: usize = 3;

/// The names of several series, in rows above a chart. A single series needs none.
pub(super) struct Legend<'a> {
    entries: Vec<Entry<'a>>,
    height: f64,
    room: f64,
    swatch: Swatch,
}

struct Entry<'a> {
    look: Look,
    label: &'a Label,
    /// Left edge and middle.
    at: (f64, f64),
}

impl<'a> Legend<'a> {
    /// Entries flow into rows of a chart of `width` units.
    pub(super) fn new(
        entries: impl Iterator<Item = (Look, &'a Label)>,
        width: f64,
        swatch: Swatch,
    ) -> Self {
        let room = width - 2.0 * MARGIN - KEY - 10.0;
        let (mut x, mut top) = (MARGIN, 4.0);
        let mut row: Vec<Entry<'a>> = Vec::new();
        let mut placed = Vec::new();
        let mut tallest = 0.0;
        // A row's entries share its middle, which is known once the row is full.
        let mut close = |row: &mut Vec<Entry<'a>>, top: &mut f64, tallest: &mut f64| {
            row.iter_mut()
                .for_each(|entry| entry.at.1 = *top + *tallest / 2.0);
            *top += *tallest;
            *tallest = 0.0;
            placed.append(row);
        };
        for (look, label) in entries {
            let lines = font::wrap(&label.text, SMALL, room, LINES);
            let text = lines.iter().map(|line| font::width(line, SMALL));
            let wide = KEY + 10.0 + text.fold(0.0, f64::max);
            if x > MARGIN && x + wide > width - MARGIN {
                close(&mut row, &mut top, &mut tallest);
                x = MARGIN;
            }
            tallest = f64::max(tallest, LEADING * lines.len() as f64);
            let at = (x, 0.0);
            row.push(Entry { look, label, at });
            x += wide + GAP;
        }
        close(&mut row, &mut top, &mut tallest);
        Self {
            height: if placed.len() < 2 { 0.0 } else { top + 10.0 },
            entries: placed,
            room,
            swatch,
        }
    }

    /// A legend of the table's rows or the like, each with the look of its place.
    pub(super) fn from_labels(labels: &'a [Label], width: f64, swatch: Swatch) -> Self {
        let entries = labels.iter().enumerate();
        Self::new(
            entries.map(|(at, label)| (Look::new(at), label)),
            width,
            swatch,
        )
    }

    /// How many units it takes at the top of the chart.
    pub(super) fn height(&self) -> f64 {
        self.height
    }

    /// Draws the legend at the top of the chart.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub(super) fn draw<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
    ) -> Result<(), ChartError> {
        for entry in self.entries.iter().filter(|_| self.height > 0.0) {
            let (x, y) = entry.at;
            let look = entry.look;
            match self.swatch {
                Swatch::Fill => look.fill_box(canvas, (x, y - 12.0), (x + KEY, y + 12.0))?,
                Swatch::Mark => look.marker(canvas, (x + KEY / 2.0, y), 10.0)?,
                Swatch::Line => {
                    canvas.dashed(&[(x, y), (x + KEY, y)], look.line_color(), 4.0, look.dash())?;
                    look.marker(canvas, (x + KEY / 2.0, y), 9.0)?;
                }
            }
            let at = (x + KEY + 10.0, y);
            let text = Type::new(SMALL, INK, Align::Left);
            canvas.block(entry.label, at, text, self.room, LINES)?;
        }
        Ok(())
    }
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
