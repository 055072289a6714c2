//! Widens a region to the full height of its letters.
//!
//! The detector is trained on shrunken text regions. They are widened by polygon offsetting with round joins,
//! as the Clipper library defines it: every corner becomes an arc of integer points.

use super::quad::Quad;
use std::f64::consts::PI;

/// The largest distance of an arc inside the true circle, in pixels.
const ARC_TOLERANCE: f64 = 0.25;

/// The points of the quadrilateral after all sides are moved outwards by area × `ratio` / perimeter. The
/// corners are truncated to integers first.
pub(super) fn widened(quad: &Quad, ratio: f64) -> Vec<[i32; 2]> {
    let distance = offset_distance(quad, ratio);
    let mut corners: Vec<[f64; 2]> = quad
        .iter()
        .map(|corner| corner.map(|v| f64::from(v).trunc()))
        .collect();
    corners.dedup();
    if corners.len() > 1 && corners.first() == corners.last() {
        corners.pop();
    }
    if corners.len() < 3 || distance <= 0.0 {
        return corners
            .iter()
            .map(|corner| corner.map(|v| v as i32))
            .collect();
    }
    if doubled_area(&corners) < 0.0 {
        corners.reverse();
    }
    round_joined(&corners, distance)
}

fn offset_distance(quad: &Quad, ratio: f64) -> f64 {
    let corners = quad.map(|corner| corner.map(f64::from));
    let perimeter: f64 = edges(&corners).map(|(a, b)| length(step(a, b))).sum();
    if perimeter == 0.0 {
        return 0.0;
    }
    doubled_area(&corners).abs() / 2.0 * ratio / perimeter
}

fn edges(corners: &[[f64; 2]]) -> impl Iterator<Item = ([f64; 2], [f64; 2])> {
    let next = corners.iter().cycle().skip(1);
    corners.iter().copied().zip(next.copied())
}

fn step(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [b[0] - a[0], b[1] - a[1]]
}

fn length([x, y]: [f64; 2]) -> f64 {
    (x * x + y * y).sqrt()
}

fn doubled_area(corners: &[[f64; 2]]) -> f64 {
    edges(corners).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum()
}

/// The outline at `distance` outside a convex polygon with a positive area.
fn round_joined(corners: &[[f64; 2]], distance: f64) -> Vec<[i32; 2]> {
    let sagitta = ARC_TOLERANCE.min(distance * ARC_TOLERANCE);
    let steps = (PI / (1.0 - sagitta / distance).acos()).min(distance * PI);
    let (sin, cos) = (2.0 * PI / steps).sin_cos();
    let normals: Vec<[f64; 2]> = edges(corners)
        .map(|(a, b)| {
            let edge = step(a, b);
            let inverse = 1.0 / length(edge);
            [edge[1] * inverse, -edge[0] * inverse]
        })
        .collect();

    let mut outline = Vec::new();
    for (i, &corner) in corners.iter().enumerate() {
        let before = normals[(i + normals.len() - 1) % normals.len()];
        let after = normals[i];
        let turn_sin = (before[0] * after[1] - after[0] * before[1]).clamp(-1.0, 1.0);
        let turn_cos = before[0] * after[0] + before[1] * after[1];
        if (turn_sin * distance).abs() < 1.0 && turn_cos > 0.0 {
            outline.push(moved(corner, before, distance));
            continue;
        }
        let angle = turn_sin.atan2(turn_cos).abs();
        let count = (steps / (2.0 * PI) * angle).round().max(1.0) as usize;
        let mut direction = before;
        for _ in 0..count {
            outline.push(moved(corner, direction, distance));
            let [x, y] = direction;
            direction = [x * cos - sin * y, x * sin + y * cos];
        }
        outline.push(moved(corner, after, distance));
    }
    outline
}

fn moved(corner: [f64; 2], direction: [f64; 2], distance: f64) -> [i32; 2] {
    [
        (corner[0] + direction[0] * distance).round() as i32,
        (corner[1] + direction[1] * distance).round() as i32,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::cv::min_area_rect;
    use serde_json::Value;

    /// Against pyclipper: tests/golden/ppocr/cv.py.
    #[test]
    fn the_rectangle_around_the_widened_region_is_clippers() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../tests/golden/ppocr/cv.json")).unwrap();
        let cases = golden["widened"].as_array().unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            let quad: Quad = serde_json::from_value(case["quad"].clone()).unwrap();
            let rect = min_area_rect(&widened(&quad, 1.6));
            let mut theirs: Quad = serde_json::from_value(case["corners"].clone()).unwrap();
            let mut ours = rect.corners();
            for corners in [&mut ours, &mut theirs] {
                corners.sort_by_key(|p| p.map(|v| (v * 10.0).round() as i32));
            }
            for (a, b) in ours.iter().flatten().zip(theirs.iter().flatten()) {
                assert!((a - b).abs() < 1e-2, "{ours:?} {theirs:?}");
            }
        }
    }

    #[test]
    fn a_region_without_area_stays_as_it_is() {
        let line = [[1.0, 1.0], [9.0, 1.0], [9.0, 1.0], [1.0, 1.0]];
        assert_eq!(widened(&line, 1.6), [[1, 1], [9, 1]]);
    }
}
