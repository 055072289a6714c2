//! A heat map of items and models: a line for each run, with the items from hard to easy.

use super::canvas::{Align, Canvas, GRID, INK, Label, PAPER, SMALL, SOFT, Type};
use super::draw::Chart;
use super::error::ChartError;
use crate::report::score;
use crate::report::view::RunView;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use std::collections::{BTreeMap, BTreeSet};

/// Mean scores of items, sorted and, where there are many, binned.
pub struct Heat<'a> {
    labels: &'a [Label],
    /// `rows[run][bin]`, as share of the full mark.
    rows: Vec<Vec<Option<f64>>>,
    items: usize,
    full: f64,
}

/// More columns than this cannot be distinguished in a paper's column.
const BINS: usize = 240;
const WIDTH: f64 = 1000.0;
const LEFT: f64 = 262.0;
const RIGHT: f64 = 984.0;
const TOP: f64 = 10.0;

impl<'a> Heat<'a> {
    /// The heat map. `None` if fewer than two items are scored.
    pub fn from_runs(runs: &[&RunView], labels: &'a [Label], full: f64) -> Option<Self> {
        let means: Vec<BTreeMap<&str, f64>> =
            runs.iter().map(|run| score::item_means(run)).collect();
        let names: BTreeSet<&str> = means.iter().flat_map(|run| run.keys().copied()).collect();
        let mut items: Vec<(f64, &str)> = names
            .into_iter()
            .map(|item| {
                let scores: Vec<f64> = means
                    .iter()
                    .filter_map(|run| run.get(item).copied())
                    .collect();
                (scores.iter().sum::<f64>() / scores.len() as f64, item)
            })
            .collect();
        if items.len() < 2 {
            return None;
        }
        items.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        let bins = items.len().min(BINS);
        let rows = means
            .iter()
            .map(|run| {
                (0..bins)
                    .map(|bin| {
                        let range = bin * items.len() / bins..(bin + 1) * items.len() / bins;
                        let scores: Vec<f64> = items[range]
                            .iter()
                            .filter_map(|(_, item)| run.get(item).copied())
                            .collect();
                        (!scores.is_empty())
                            .then(|| scores.iter().sum::<f64>() / scores.len() as f64 / full)
                    })
                    .collect()
            })
            .collect();
        Some(Self {
            labels,
            rows,
            items: items.len(),
            full,
        })
    }

    /// What the chart shows, for its caption.
    pub fn describe(&self) -> String {
        let bins = self.rows[0].len();
        let cells = if self.items > bins {
            format!(
                "{} items in {bins} bins, each the mean of its items",
                self.items
            )
        } else {
            format!("{} items", self.items)
        };
        format!(
            "{cells}, sorted from hardest to easiest by mean score over models; hatched cells have no score"
        )
    }

    fn row_height(&self) -> f64 {
        if self.rows.len() == 1 { 90.0 } else { 58.0 }
    }

    fn bottom(&self) -> f64 {
        TOP + self.row_height() * self.rows.len() as f64
    }

    fn key<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let y = self.bottom() + 66.0;
        let steps = 60;
        let (from, to) = (LEFT, LEFT + 300.0);
        // Each step reaches to the end and is covered by the next: no seams where edges are smoothed.
        for step in 0..steps {
            let x = |s: i32| from + (to - from) * f64::from(s) / f64::from(steps);
            let share = f64::from(step) / f64::from(steps - 1);
            canvas.fill_rectangle((x(step), y), (to, y + 20.0), ramp(share))?;
        }
        let look = |align| Type::new(SMALL, SOFT, align);
        canvas.plain("score", (from - 60.0, y + 10.0), look(Align::Right))?;
        canvas.plain("0", (from - 14.0, y + 10.0), look(Align::Right))?;
        canvas.plain(
            &self.full.to_string(),
            (to + 14.0, y + 10.0),
            look(Align::Left),
        )
    }
}

/// From near white to dark blue, monotone in lightness.
pub(super) fn ramp(share: f64) -> RGBColor {
    let stops = [
        (246.0, 243.0, 235.0),
        (158.0, 196.0, 212.0),
        (58.0, 124.0, 172.0),
        (10.0, 44.0, 92.0),
    ];
    let place = share.clamp(0.0, 1.0) * 3.0;
    let index = (place as usize).min(2);
    let part = place - index as f64;
    let (a, b): ((f64, f64, f64), (f64, f64, f64)) = (stops[index], stops[index + 1]);
    let mix = |a: f64, b: f64| (a + (b - a) * part).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

impl Chart for Heat<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, self.bottom() + 102.0)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError> {
        let bins = self.rows[0].len() as f64;
        let x = |bin: usize| LEFT + (RIGHT - LEFT) * bin as f64 / bins;
        for (index, row) in self.rows.iter().enumerate() {
            let top = TOP + self.row_height() * index as f64;
            let bottom = top + self.row_height() - 5.0;
            canvas.block(
                &self.labels[index],
                (LEFT - 14.0, (top + bottom) / 2.0),
                Type::new(SMALL, INK, Align::Right),
                LEFT - 28.0,
                2,
            )?;
            for (bin, value) in row.iter().enumerate() {
                // Each cell reaches to the end and is covered by the next, as in the key.
                let (a, b) = ((x(bin), top), (RIGHT, bottom));
                match value {
                    Some(value) => canvas.fill_rectangle(a, b, ramp(*value))?,
                    None => {
                        canvas.fill_rectangle(a, b, PAPER)?;
                        canvas.line(&[(x(bin), bottom), (x(bin + 1), top)], SOFT, 1.5)?;
                    }
                }
            }
            canvas.outline((LEFT, top), (RIGHT, bottom), GRID, 1.5)?;
        }
        let y = self.bottom() + 22.0;
        let look = |align| Type::new(SMALL, SOFT, align);
        canvas.plain("hardest item", (LEFT, y), look(Align::Left))?;
        canvas.plain("easiest item", (RIGHT, y), look(Align::Right))?;
        self.key(canvas)
    }
}
