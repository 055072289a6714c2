//! How scores are spread over items: a histogram of one run, cumulative curves of several.

use super::axis::Axis;
use super::canvas::{Align, Canvas, GRID, INK, Label, SMALL, SOFT, Type};
use super::draw::Chart;
use super::error::ChartError;
use super::series::{Legend, Look, Swatch};
use crate::report::score;
use crate::report::view::RunView;
use crate::text::count::counted;
use plotters::prelude::DrawingBackend;

/// Item means of each run, sorted, as shares of the full mark.
pub struct Distribution<'a> {
    labels: &'a [Label],
    scores: Vec<Vec<f64>>,
    full: f64,
}

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 950.0;
const PLOT: f64 = 460.0;
const HISTOGRAM_BINS: usize = 20;

impl<'a> Distribution<'a> {
    /// The distribution. `None` if no item is scored.
    pub fn from_runs(runs: &[&RunView], labels: &'a [Label], full: f64) -> Option<Self> {
        let scores: Vec<Vec<f64>> = runs
            .iter()
            .map(|run| {
                let mut scores: Vec<f64> = score::item_means(run)
                    .into_values()
                    .map(|score| score / full)
                    .collect();
                scores.sort_by(f64::total_cmp);
                scores
            })
            .collect();
        scores.iter().any(|run| !run.is_empty()).then_some(Self {
            labels,
            scores,
            full,
        })
    }

    /// What the chart shows, for its caption.
    pub fn describe(&self) -> String {
        if self.scores.len() == 1 {
            format!(
                "distribution of {}",
                counted(self.scores[0].len(), "item score")
            )
        } else {
            "share of items that score at most the value below (a curve further right and lower is better)".to_owned()
        }
    }

    fn top(&self) -> f64 {
        Legend::from_labels(self.labels, WIDTH, Swatch::Line).height() + 24.0
    }

    fn x(share: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0)
    }

    fn axes<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, DB>,
        counts: &Axis,
    ) -> Result<(), ChartError> {
        let (top, bottom) = (self.top(), self.top() + PLOT);
        for (count, text) in counts.ticks() {
            let y = bottom - PLOT * counts.position_of(*count);
            canvas.line(&[(LEFT, y), (RIGHT, y)], GRID, 1.5)?;
            canvas.plain(text, (LEFT - 14.0, y), Type::new(SMALL, SOFT, Align::Right))?;
        }
        for (tick, text) in Axis::rounded([0.0, self.full], 4).ticks() {
            let x = Self::x(tick / self.full);
            canvas.line(&[(x, bottom), (x, bottom + 8.0)], INK, 2.0)?;
            let look = Type::new(SMALL, SOFT, Align::Center);
            canvas.plain(text, (x, bottom + 28.0), look)?;
        }
        let middle = (LEFT + RIGHT) / 2.0;
        let look = Type::new(SMALL, INK, Align::Center);
        canvas.plain("mean score of an item", (middle, bottom + 64.0), look)?;
        let mut look = Type::new(SMALL, INK, Align::Center);
        look.upright = true;
        let name = match self.scores.len() {
            1 => "items",
            _ => "share of items, %",
        };
        canvas.plain(name, (18.0, (top + bottom) / 2.0), look)?;
        canvas.line(&[(LEFT, bottom), (RIGHT, bottom)], INK, 2.0)
    }

    fn histogram<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let mut counts = [0usize; HISTOGRAM_BINS];
        for score in &self.scores[0] {
            let bin = (score.max(0.0) * HISTOGRAM_BINS as f64) as usize;
            counts[bin.min(HISTOGRAM_BINS - 1)] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(1) as f64;
        let axis = Axis::rounded([0.0, most.max(4.0)], 4);
        self.axes(canvas, &axis)?;
        let bottom = self.top() + PLOT;
        for (bin, count) in counts
            .into_iter()
            .enumerate()
            .filter(|(_, count)| *count > 0)
        {
            let x = |bin: usize| Self::x(bin as f64 / HISTOGRAM_BINS as f64);
            let y = bottom - PLOT * axis.position_of(count as f64);
            Look::new(0).fill_box(canvas, (x(bin) + 2.0, y), (x(bin + 1) - 2.0, bottom))?;
        }
        Ok(())
    }

    fn curves<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        self.axes(canvas, &Axis::rounded([0.0, 100.0], 4))?;
        let bottom = self.top() + PLOT;
        for (index, scores) in self
            .scores
            .iter()
            .enumerate()
            .filter(|(_, s)| !s.is_empty())
        {
            let look = Look::new(index);
            let mut points = vec![(LEFT, bottom)];
            let mut steps = Vec::new();
            let count = scores.len() as f64;
            let mut seen = 0;
            for group in scores.chunk_by(|a, b| a == b) {
                let x = Self::x(group[0]);
                points.push((x, bottom - PLOT * f64::from(seen) / count));
                seen += group.len() as u32;
                let corner = (x, bottom - PLOT * f64::from(seen) / count);
                points.push(corner);
                steps.push(corner);
            }
            points.push((RIGHT, bottom - PLOT));
            canvas.dashed(&points, look.line_color(), 4.0, look.dash())?;
            let every = steps.len().div_ceil(8);
            for corner in steps.into_iter().step_by(every) {
                look.marker(canvas, corner, 8.0)?;
            }
        }
        Ok(())
    }
}

impl Chart for Distribution<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (self.top() + PLOT + 92.0).ceil())
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        Legend::from_labels(self.labels, WIDTH, Swatch::Line).draw(canvas)?;
        if self.scores.len() == 1 {
            self.histogram(canvas)
        } else {
            self.curves(canvas)
        }
    }
}
