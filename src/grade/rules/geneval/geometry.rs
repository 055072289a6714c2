//! Boxes: overlap and relative position. Boxes are `[x1, y1, x2, y2]` in pixels, y downwards.

use serde::Deserialize;
use std::fmt;

pub(super) type Box4 = [f64; 4];

/// The position of one object relative to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Relation {
    /// Its centre lies to the left.
    #[serde(rename = "left of")]
    LeftOf,
    /// Its centre lies to the right.
    #[serde(rename = "right of")]
    RightOf,
    /// Its centre lies higher.
    #[serde(rename = "above")]
    Above,
    /// Its centre lies lower.
    #[serde(rename = "below")]
    Below,
}

impl Relation {
    /// The official words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LeftOf => "left of",
            Self::RightOf => "right of",
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The position of `a` relative to `b`: none, one or two relations, the horizontal one first. Each axis of
/// the offset of the centres is shortened by `slack` times the sum of both sizes. The rest, divided by the
/// length of the whole offset, must exceed one half.
pub(super) fn relations(a: Box4, b: Box4, slack: f64) -> Vec<Relation> {
    let offset = |axis: usize| (a[axis] + a[axis + 2]) / 2.0 - (b[axis] + b[axis + 2]) / 2.0;
    let size = |r: &Box4, axis: usize| (r[axis + 2] - r[axis]).abs();
    let shortened = |axis: usize| {
        let rest = offset(axis).abs() - slack * (size(&a, axis) + size(&b, axis));
        rest.max(0.0).copysign(offset(axis))
    };
    let (x, y) = (shortened(0), shortened(1));
    if x.abs() < 1e-3 && y.abs() < 1e-3 {
        return Vec::new();
    }
    let length = offset(0).hypot(offset(1));
    let (dx, dy) = (x / length, y / length);
    let holds = [
        (dx < -0.5, Relation::LeftOf),
        (dx > 0.5, Relation::RightOf),
        (dy < -0.5, Relation::Above),
        (dy > 0.5, Relation::Below),
    ];
    holds
        .into_iter()
        .filter(|(held, _)| *held)
        .map(|(_, relation)| relation)
        .collect()
}

/// Intersection over union of pixel boxes whose right and bottom edges belong to them (sizes are x2 − x1 +
/// 1); 0 when the union is empty.
pub(super) fn iou(a: Box4, b: Box4) -> f64 {
    let area = |r: Box4| (r[2] - r[0] + 1.0).max(0.0) * (r[3] - r[1] + 1.0).max(0.0);
    let shared = area([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ]);
    let union = area(a) + area(b) - shared;
    if union == 0.0 { 0.0 } else { shared / union }
}

#[cfg(test)]
mod tests {
    use super::Relation::{Above, Below, LeftOf};
    use super::*;

    /// Worked with the official formula; the offsets are in the comments.
    #[test]
    fn relations_follow_the_formula() {
        let cases: [(Box4, Box4, &[Relation]); 6] = [
            // (−0.9, 0)
            (
                [0.0, 0.0, 100.0, 100.0],
                [200.0, 0.0, 300.0, 100.0],
                &[LeftOf],
            ),
            // (−0.612826, −0.612826)
            (
                [0.0, 0.0, 100.0, 100.0],
                [150.0, 150.0, 250.0, 250.0],
                &[LeftOf, Above],
            ),
            // all slack
            ([0.0, 0.0, 100.0, 100.0], [10.0, 10.0, 110.0, 110.0], &[]),
            // (−0.666667, 0)
            (
                [0.0, 0.0, 100.0, 100.0],
                [60.0, 0.0, 160.0, 100.0],
                &[LeftOf],
            ),
            // (−0.117041, −0.702247)
            (
                [0.0, 0.0, 100.0, 100.0],
                [30.0, 80.0, 130.0, 180.0],
                &[Above],
            ),
            // (0, 0.943811)
            (
                [100.0, 300.0, 180.0, 360.0],
                [90.0, 40.0, 200.0, 120.0],
                &[Below],
            ),
        ];
        for (a, b, expected) in cases {
            assert_eq!(relations(a, b, 0.1), expected, "{a:?} to {b:?}");
        }
    }

    #[test]
    fn iou_counts_the_last_pixel() {
        // 10 × 10 pixels each, 5 × 10 shared: 50 / 150.
        let found = iou([0.0, 0.0, 9.0, 9.0], [5.0, 0.0, 14.0, 9.0]);
        assert!((found - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(iou([0.0, 0.0, 9.0, 9.0], [10.0, 0.0, 19.0, 9.0]), 0.0);
    }
}
