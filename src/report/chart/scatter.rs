//! Scores over costs, with the line of those that nothing cheaper beats (the Pareto front).

use super::axis::Axis;
use super::canvas::{Align, Canvas, INK, Label, SMALL, SOFT, Type};
use super::draw::{Chart, Width};
use super::error::ChartError;
use super::font;
use super::frame::{FOOT, Frame, steps};
use super::series::{Legend, Look, Swatch};
use plotters::prelude::DrawingBackend;

/// One level, or another thing with a cost and a score.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The name of the spot.
    pub label: Label,
    /// The colour and the mark.
    pub look: Look,
    /// The place on the horizontal axis.
    pub cost: f64,
    /// The place on the vertical axis.
    pub score: f64,
    /// The 95 % interval of the score.
    pub interval: Option<(f64, f64)>,
}

/// Scores over costs.
#[derive(Debug, Clone)]
pub struct Scatter {
    /// In the order of the legend.
    pub spots: Vec<Spot>,
    /// The title of the horizontal axis.
    pub x: String,
    /// The title of the vertical axis.
    pub y: String,
    /// How wide it is printed.
    pub width: Width,
}

const PLOT: f64 = 520.0;
const RADIUS: f64 = 12.0;
/// Half of the width of a whisker's end.
const CAP: f64 = 8.0;

/// Left, top, right, bottom.
type Area = [f64; 4];

impl Scatter {
    /// Places in `spots` of those that nothing of the same or a lower cost beats, by cost.
    pub fn front(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.spots.len()).collect();
        let spot = |at: usize| (self.spots[at].cost, self.spots[at].score);
        order.sort_by(|a, b| {
            let ((cost, score), (other, than)) = (spot(*a), spot(*b));
            cost.total_cmp(&other).then(than.total_cmp(&score))
        });
        let mut best = f64::NEG_INFINITY;
        order.retain(|at| {
            let better = spot(*at).1 > best;
            best = best.max(spot(*at).1);
            better
        });
        order
    }

    fn legend(&self) -> Legend<'_> {
        let entries = self.spots.iter().map(|spot| (spot.look, &spot.label));
        Legend::new(entries, self.width.units(), Swatch::Mark)
    }

    /// The plot under `top` units of legend.
    fn frame(&self, top: f64) -> Frame {
        let scores = self.spots.iter().flat_map(|spot| {
            let (low, high) = spot.interval.unwrap_or((spot.score, spot.score));
            [spot.score, low, high]
        });
        let costs = self.spots.iter().map(|spot| spot.cost);
        let first = Axis::wide(costs.clone(), 4);
        let room = steps(self.width.units() * 0.8, first.ticks());
        Frame::new(
            (self.width.units(), top + 20.0, PLOT),
            [Axis::wide(costs, room.min(6)), Axis::rounded(scores, 4)],
            [&self.x, &self.y],
        )
    }

    fn spot(&self, frame: &Frame, spot: &Spot) -> (f64, f64) {
        frame.point_at(spot.cost, spot.score)
    }

    /// The corners of the front's line.
    fn steps(&self, frame: &Frame) -> Vec<(f64, f64)> {
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for at in self.front() {
            let (x, y) = self.spot(frame, &self.spots[at]);
            if let Some((_, before)) = steps.last().copied() {
                steps.push((x, before));
            }
            steps.push((x, y));
        }
        // After the last one, nothing more is gained.
        if let Some((_, y)) = steps.last().copied() {
            steps.push((frame.edges()[1], y));
        }
        steps
    }

    /// Where the names beside the marks go. `None` if some of them have no place free of others.
    fn names(&self, frame: &Frame) -> Option<Vec<(f64, f64)>> {
        let mut taken: Vec<Area> = Vec::new();
        for spot in &self.spots {
            let (x, y) = self.spot(frame, spot);
            let r = RADIUS * 1.4;
            taken.push([x - r, y - r, x + r, y + r]);
            if let Some((low, high)) = spot.interval {
                let (high, low) = (
                    frame.point_at(spot.cost, high).1,
                    frame.point_at(spot.cost, low).1,
                );
                taken.push([x - CAP - 2.0, high - 2.0, x + CAP + 2.0, low + 2.0]);
            }
        }
        for step in self.steps(frame).windows(2) {
            let ((x, y), (to, down)) = (step[0], step[1]);
            let (top, bottom) = (y.min(down), y.max(down));
            taken.push([x - 3.0, top - 3.0, to + 3.0, bottom + 3.0]);
        }
        let [left, right, top, bottom] = frame.edges();
        let inside = |area: &Area| {
            area[0] >= left && area[1] >= top && area[2] <= right + 6.0 && area[3] <= bottom
        };
        let mut places = Vec::new();
        for spot in &self.spots {
            let (x, y) = self.spot(frame, spot);
            let wide = font::width(&spot.label.text, SMALL);
            let (across, down) = (RADIUS * 1.7, SMALL * 0.95);
            let near = RADIUS * 1.5;
            let tried = [
                (x + across, y),
                (x + near, y - down),
                (x + near, y + down),
                (x - across - wide, y),
                (x - near - wide, y - down),
                (x - near - wide, y + down),
            ];
            let area = |(x, y): (f64, f64)| [x, y - SMALL * 0.6, x + wide, y + SMALL * 0.6];
            let free = |at: &(f64, f64)| {
                let own = area(*at);
                inside(&own) && !taken.iter().any(|other| meet(&own, other))
            };
            let place = tried.into_iter().find(free)?;
            taken.push(area(place));
            places.push(place);
        }
        Some(places)
    }

    fn marks<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        frame: &Frame,
    ) -> Result<(), ChartError> {
        canvas.dashed(&self.steps(frame), SOFT, 3.0, &[12.0, 8.0])?;
        for spot in &self.spots {
            let (x, y) = self.spot(frame, spot);
            let color = spot.look.line_color();
            if let Some((low, high)) = spot.interval {
                let (low, high) = (
                    frame.point_at(spot.cost, low).1,
                    frame.point_at(spot.cost, high).1,
                );
                canvas.line(&[(x, low), (x, high)], color, 3.0)?;
                for y in [low, high] {
                    canvas.line(&[(x - CAP, y), (x + CAP, y)], color, 3.0)?;
                }
            }
            spot.look.marker(canvas, (x, y), RADIUS)?;
        }
        Ok(())
    }
}

fn meet(one: &Area, other: &Area) -> bool {
    one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
}

impl Chart for Scatter {
    fn size(&self) -> (f64, f64) {
        let legend = match self.names(&self.frame(0.0)) {
            Some(_) => 0.0,
            None => self.legend().height(),
        };
        (self.width.units(), legend + 20.0 + PLOT + FOOT)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let mut frame = self.frame(0.0);
        let names = self.names(&frame);
        if names.is_none() {
            let legend = self.legend();
            frame = self.frame(legend.height());
            legend.draw(canvas)?;
        }
        frame.draw(canvas)?;
        self.marks(canvas, &frame)?;
        for (spot, at) in self.spots.iter().zip(names.into_iter().flatten()) {
            canvas.text(&spot.label, at, Type::new(SMALL, INK, Align::Left))?;
        }
        Ok(())
    }
}
