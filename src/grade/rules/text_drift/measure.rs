//! What became of each line.

use super::boxes::{self, Rect};
use super::matching::{Line, joined, matched};
use super::motion::{Motion, median, quantile};
use serde_json::Value;
use std::collections::BTreeMap;

/// A line is in place within this share of its height, or within this number of pixels.
const NEAR: f64 = 0.25;
const NEAR_PIXELS: f64 = 2.0;
/// The largest change of size, in per cent.
const RESIZED: f64 = 10.0;
/// The distance from the edited region, as a share of the diagonal, from which a line is far.
const FAR: f64 = 0.3;

/// Why a line is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Lost,
    Respelled,
    Moved,
    Resized,
}

/// A line of the input in the output.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Followed {
    /// Its characters in the input.
    pub text: String,
    /// How far it moved to the right and downwards, in pixels. `None` for a lost line.
    pub offset: Option<[f64; 2]>,
    /// The distance of both places, in pixels. `None` for a lost line, as for the next two.
    pub dist: Option<f64>,
    /// The same after the motion of the whole picture.
    pub residual: Option<f64>,
    /// 100 ln(h′ / h).
    pub size: Option<f64>,
    /// 100 ln(w′ / w). `None` if the texts differ.
    pub width: Option<f64>,
    /// The edit distance over the length of the line; 1 for a lost line.
    pub spelling: f64,
    /// The height of the line, in pixels.
    pub height: f64,
    /// Whether the line is far from the edited region.
    pub far: bool,
    pub fate: Fate,
    /// Whether it would be kept if the whole picture had not moved.
    pub kept_local: bool,
}

/// All lines of an item.
pub(super) struct Page {
    pub lines: Vec<Followed>,
    pub motion: Motion,
}

/// Follows the lines of an input of this size into the output.
pub(super) fn follow(
    source: Vec<Line>,
    after: Vec<Line>,
    size: [f64; 2],
    edited: Option<Rect>,
) -> Page {
    let after = joined(after, &source);
    let source = joined(source, &after);
    let diagonal = size[0].hypot(size[1]);
    let found = matched(&source, &after, diagonal);
    let pairs: Vec<(&Line, Option<&Line>)> = source
        .iter()
        .zip(&found)
        .map(|(line, place)| (line, place.and_then(|place| after.get(place))))
        .collect();
    let points: Vec<_> = pairs
        .iter()
        .filter_map(|(before, after)| Some(places(before, (*after)?)))
        .collect();
    let motion = Motion::of(&points, size);
    let lines = pairs.iter().map(|(before, after)| {
        let far = edited.is_some_and(|edited| boxes::gap(before.bbox, edited) > FAR * diagonal);
        after.map_or_else(
            || lost(before, far),
            |after| followed(before, after, &motion, far),
        )
    });
    Page {
        lines: lines.collect(),
        motion,
    }
}

/// The points of a line that are compared: the centres of equal texts, and otherwise the starts, since a
/// respelled line has another width.
fn places(before: &Line, after: &Line) -> ([f64; 2], [f64; 2]) {
    if before.text == after.text {
        (boxes::centre(before.bbox), boxes::centre(after.bbox))
    } else {
        (boxes::start(before.bbox), boxes::start(after.bbox))
    }
}

fn lost(line: &Line, far: bool) -> Followed {
    Followed {
        text: line.text.iter().collect(),
        offset: None,
        dist: None,
        residual: None,
        size: None,
        width: None,
        spelling: 1.0,
        height: boxes::height(line.bbox),
        far,
        fate: Fate::Lost,
        kept_local: false,
    }
}

fn followed(before: &Line, after: &Line, motion: &Motion, far: bool) -> Followed {
    let (from, to) = places(before, after);
    let (dist, residual) = (
        boxes::distance(from, to),
        boxes::distance(motion.applied(from), to),
    );
    let height = boxes::height(before.bbox);
    let change = |before: f64, after: f64| 100.0 * (after / before).ln();
    let size = change(height, boxes::height(after.bbox));
    let same = before.text == after.text;
    let edits = crate::text::distance::levenshtein(&before.text, &after.text);
    let near = |distance: f64| distance <= (NEAR * height).max(NEAR_PIXELS);
    // A box without height has no change of size.
    let resized = |size: f64| size.is_nan() || size.abs() > RESIZED;
    let fate = if !same {
        Fate::Respelled
    } else if !near(dist) {
        Fate::Moved
    } else if resized(size) {
        Fate::Resized
    } else {
        Fate::Kept
    };
    let local_size = size - 100.0 * motion.scale.ln();
    Followed {
        text: before.text.iter().collect(),
        offset: Some([to[0] - from[0], to[1] - from[1]]),
        dist: Some(dist),
        residual: Some(residual),
        size: Some(size),
        width: same.then(|| change(boxes::width(before.bbox), boxes::width(after.bbox))),
        spelling: edits as f64 / before.text.len().max(1) as f64,
        height,
        far,
        fate,
        kept_local: same && near(residual) && !resized(local_size),
    }
}

impl Page {
    /// The share of lines with this fate.
    pub(super) fn share(&self, fate: Fate) -> f64 {
        let with = self.lines.iter().filter(|line| line.fate == fate);
        with.count() as f64 / self.lines.len().max(1) as f64
    }

    /// The residuals of the lines that are far from the edited region, in pixels.
    pub(super) fn far_residuals(&self) -> Vec<f64> {
        let far = self.lines.iter().filter(|line| line.far);
        far.filter_map(|line| line.residual).collect()
    }

    /// The mean squared distance of the measured offsets from the true ones, which are given by the texts of
    /// the lines. `None` if no line has one.
    pub(super) fn offset_error(&self, offsets: &Value) -> Option<f64> {
        let errors = self.lines.iter().filter_map(|line| {
            let [x, y] = line.offset?;
            let [true_x, true_y] = [0, 1].map(|axis| offsets[&line.text][axis].as_f64());
            Some((x - true_x?).powi(2) + (y - true_y?).powi(2))
        });
        let errors: Vec<f64> = errors.collect();
        (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
    }

    /// The numbers beside the score. Distances are in pixels; names that end with `_h` are in per cent of the
    /// line's height.
    pub(super) fn parts(&self) -> BTreeMap<String, f64> {
        let local = self.lines.iter().filter(|line| line.kept_local).count();
        let of = |value: fn(&Followed) -> Option<f64>| -> Vec<f64> {
            self.lines.iter().filter_map(value).collect()
        };
        let spelling: f64 = self.lines.iter().map(|line| line.spelling).sum();
        let count = self.lines.len().max(1) as f64;
        let numbers = [
            ("lines", Some(self.lines.len() as f64)),
            ("kept_local", Some(local as f64 / count)),
            ("lost", Some(self.share(Fate::Lost))),
            ("respelled", Some(self.share(Fate::Respelled))),
            ("moved", Some(self.share(Fate::Moved))),
            ("resized", Some(self.share(Fate::Resized))),
            ("spelling", Some(spelling / count)),
            ("dist_median", median(&mut of(|line| line.dist))),
            (
                "dist_median_h",
                median(&mut of(|line| Some(100.0 * line.dist? / line.height))),
            ),
            (
                "dist_p95_h",
                quantile(&mut of(|line| Some(100.0 * line.dist? / line.height)), 0.95),
            ),
            ("residual_median", median(&mut of(|line| line.residual))),
            (
                "residual_p95_h",
                quantile(
                    &mut of(|line| Some(100.0 * line.residual? / line.height)),
                    0.95,
                ),
            ),
            ("size_median", median(&mut of(|line| line.size))),
            ("width_median", median(&mut of(|line| line.width))),
            ("far_residual", median(&mut self.far_residuals())),
            ("global_x", Some(self.motion.translation[0])),
            ("global_y", Some(self.motion.translation[1])),
            ("global_scale", Some(self.motion.scale)),
        ];
        let known = numbers.into_iter().filter_map(|(name, number)| {
            let number = number.filter(|number| number.is_finite())?;
            Some((name.to_owned(), number))
        });
        known.collect()
    }
}
