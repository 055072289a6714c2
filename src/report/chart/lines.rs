//! Lines over steps, each with a light band where one is given: training curves, trends.

use super::axis::Axis;
use super::canvas::{Align, Canvas, Label, SMALL, SOFT, Type};
use super::draw::{Chart, Width};
use super::error::ChartError;
use super::frame::{FOOT, Frame, steps};
use super::series::{Legend, Look, Swatch};
use plotters::prelude::DrawingBackend;

/// A value at a step. A value that is not finite leaves a gap in the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The place on the horizontal axis.
    pub x: f64,
    /// The value; not a number where the line has a gap.
    pub y: f64,
    /// Low and high, such as an interval or the range over seeds.
    pub band: Option<(f64, f64)>,
}

/// One line. Points are in the order of their `x`.
#[derive(Debug, Clone)]
pub struct Curve {
    /// The name of the curve.
    pub label: Label,
    /// The colour, the dashes and the mark.
    pub look: Look,
    /// From left to right.
    pub points: Vec<Point>,
}

/// Lines over a common axis.
#[derive(Debug, Clone)]
pub struct Lines {
    /// In the order of the legend.
    pub curves: Vec<Curve>,
    /// The title of the axis.
    pub x: String,
    /// The title of the vertical axis.
    pub y: String,
    /// Ticks in place of those at round numbers, such as dates.
    pub x_ticks: Vec<(f64, String)>,
    /// Places with an upright line and a word beside it, such as change points.
    pub marks: Vec<(f64, String)>,
    /// How wide it is printed.
    pub width: Width,
}

/// How many points of a line the eye can tell apart.
const FINE: usize = 600;
const PLOT: f64 = 470.0;

impl Lines {
    fn legend(&self) -> Legend<'_> {
        let entries = self.curves.iter().map(|curve| (curve.look, &curve.label));
        Legend::new(entries, self.width.units(), Swatch::Line)
    }

    fn top(&self) -> f64 {
        let marks = if self.marks.is_empty() {
            0.0
        } else {
            SMALL * 1.4
        };
        self.legend().height() + marks + 24.0
    }

    fn frame(&self) -> Frame {
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let heights = points().flat_map(|point| {
            let (low, high) = point.band.unwrap_or((point.y, point.y));
            [point.y, low, high]
        });
        let marks = self.marks.iter().map(|(x, _)| *x);
        let across: Vec<f64> = points().map(|point| point.x).chain(marks).collect();
        let room = self.width.units() * 0.8;
        let mut x = Axis::tight(across.iter().copied(), 5);
        x = if self.x_ticks.is_empty() {
            Axis::tight(across.iter().copied(), steps(room, x.ticks()).min(8))
        } else {
            x.with_ticks(&self.x_ticks)
        };
        Frame::new(
            (self.width.units(), self.top(), PLOT),
            [x, Axis::rounded(heights, 4)],
            [&self.x, &self.y],
        )
    }

    fn marks<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        frame: &Frame,
    ) -> Result<(), ChartError> {
        let [left, right, top, bottom] = frame.edges();
        for (x, text) in &self.marks {
            let (x, _) = frame.point_at(*x, f64::NAN);
            canvas.dashed(&[(x, top), (x, bottom)], SOFT, 2.5, &[7.0, 7.0])?;
            let half = super::font::width(text, SMALL) / 2.0;
            let middle = x.min(right - half).max(left + half);
            let look = Type::new(SMALL, SOFT, Align::Center);
            canvas.plain(text, (middle, top - SMALL * 0.8), look)?;
        }
        Ok(())
    }
}

impl Curve {
    fn bands<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        frame: &Frame,
    ) -> Result<(), ChartError> {
        for run in runs(&self.points) {
            let parts: Vec<(f64, f64, f64)> = parts(run).filter_map(hull).collect();
            let low = parts.iter().map(|(x, low, _)| frame.point_at(*x, *low));
            let high = parts
                .iter()
                .rev()
                .map(|(x, _, high)| frame.point_at(*x, *high));
            let outline: Vec<(f64, f64)> = low.chain(high).collect();
            if outline.len() > 2 {
                canvas.area(&outline, self.look.line_color(), 0.17)?;
            } else if let [one, other] = outline[..] {
                canvas.line(&[one, other], self.look.line_color(), 3.0)?;
            }
        }
        Ok(())
    }

    fn line<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        frame: &Frame,
    ) -> Result<(), ChartError> {
        let mut corners = Vec::new();
        for run in runs(&self.points) {
            let run: Vec<(f64, f64)> = thin(run).map(|p| frame.point_at(p.x, p.y)).collect();
            canvas.dashed(&run, self.look.line_color(), 4.0, self.look.dash())?;
            corners.extend(run);
        }
        // All points if they are few, and some if they are many. The last one is always there.
        let every = if corners.len() <= 20 {
            1
        } else {
            corners.len().div_ceil(8)
        };
        let shift = (corners.len() + every - 1) % every;
        for corner in corners.into_iter().skip(shift).step_by(every) {
            self.look.marker(canvas, corner, 9.0)?;
        }
        Ok(())
    }
}

/// The parts of a line between its gaps.
fn runs(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    let there = |point: &Point| point.x.is_finite() && point.y.is_finite();
    points
        .split(move |point| !there(point))
        .filter(|run| !run.is_empty())
}

/// A line's points one by one, or in groups where there are more than can be seen.
fn parts(run: &[Point]) -> impl Iterator<Item = &[Point]> {
    let size = run.len().div_ceil(FINE / 4);
    run.chunks(if run.len() <= FINE { 1 } else { size })
}

/// First, last, lowest and highest point of each part.
fn thin(run: &[Point]) -> impl Iterator<Item = &Point> {
    parts(run).flat_map(|part| {
        let by = |a: &usize, b: &usize| part[*a].y.total_cmp(&part[*b].y);
        let low = (0..part.len()).min_by(by).unwrap_or(0);
        let high = (0..part.len()).max_by(by).unwrap_or(0);
        let mut kept = vec![0, low, high, part.len() - 1];
        kept.sort_unstable();
        kept.dedup();
        kept.into_iter().map(|at| &part[at])
    })
}

/// The place of a part, and the range of its bands.
fn hull(part: &[Point]) -> Option<(f64, f64, f64)> {
    let mut bands = part.iter().filter_map(|point| point.band);
    let first = bands.next()?;
    let (low, high) = bands.fold(first, |(low, high), band| {
        (low.min(band.0), high.max(band.1))
    });
    let x = part.iter().map(|point| point.x).sum::<f64>() / part.len() as f64;
    Some((x, low, high))
}

impl Chart for Lines {
    fn size(&self) -> (f64, f64) {
        (self.width.units(), (self.top() + PLOT + FOOT).ceil())
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        self.legend().draw(canvas)?;
        let frame = self.frame();
        frame.draw(canvas)?;
        self.marks(canvas, &frame)?;
        for curve in &self.curves {
            curve.bands(canvas, &frame)?;
        }
        self.curves
            .iter()
            .try_for_each(|curve| curve.line(canvas, &frame))
    }
}
