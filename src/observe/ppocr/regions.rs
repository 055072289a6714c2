//! Turns the detector's probability map into text boxes in reading order.

use super::PpOcrSettings;
use super::quad::{Quad, distance};
use super::widen::widened;
use crate::image::cv::{RotatedRect, borders, min_area_rect};

/// Regions whose shorter side is below this are dropped as noise, in pixels of the map.
const LEAST_SIDE: f32 = 3.0;
/// The same limit after a region is widened.
const LEAST_WIDENED_SIDE: f32 = 5.0;
/// Boxes whose width or height is below this are dropped, in pixels of the page.
const LEAST_BOX: f32 = 4.0;
/// Boxes whose tops differ by less than this belong to one line, in pixels.
const SAME_LINE: f32 = 10.0;

/// Text probabilities, 0–1, row by row.
pub(super) struct Map<'a> {
    pub values: &'a [f32],
    pub width: usize,
    pub height: usize,
}

/// The text boxes on a page of `size` (width, height), in reading order: from top to bottom and from left to
/// right.
pub(super) fn text_boxes(map: &Map<'_>, size: (u32, u32), settings: &PpOcrSettings) -> Vec<Quad> {
    let mask = dilated(map, settings.thresh);
    let mut boxes: Vec<Quad> = borders(&mask, map.width)
        .iter()
        .take(settings.max_candidates)
        .filter_map(|border| region(map, border, size, settings))
        .filter_map(|quad| on_page(quad, size))
        .collect();
    sort_for_reading(&mut boxes);
    boxes
}

/// The pixels above the threshold. Each is spread to its right, lower and lower right neighbours.
fn dilated(map: &Map<'_>, thresh: f32) -> Vec<u8> {
    let width = map.width;
    let mut mask = vec![0u8; map.values.len()];
    let mut above = vec![0u8; width];
    let mut here = vec![0u8; width];
    for (values, out) in map
        .values
        .chunks_exact(width)
        .zip(mask.chunks_exact_mut(width))
    {
        for (cell, &value) in here.iter_mut().zip(values) {
            *cell = u8::from(value > thresh);
        }
        let mut left = 0;
        for ((out, &here), &above) in out.iter_mut().zip(&here).zip(&above) {
            let column = here | above;
            *out = column | left;
            left = column;
        }
        std::mem::swap(&mut above, &mut here);
    }
    mask
}

/// The widened box of one border, in pixels of the page. `None` if it does not look enough like text.
fn region(
    map: &Map<'_>,
    border: &[[i32; 2]],
    size: (u32, u32),
    settings: &PpOcrSettings,
) -> Option<Quad> {
    let tight = min_area_rect(border);
    if tight.shorter_side() < LEAST_SIDE {
        return None;
    }
    let tight = ordered_corners(&tight);
    if mean_inside(map, &tight) < f64::from(settings.box_thresh) {
        return None;
    }
    let wide = min_area_rect(&widened(&tight, settings.unclip_ratio));
    if wide.shorter_side() < LEAST_WIDENED_SIDE {
        return None;
    }
    let (width, height) = (size.0 as f32, size.1 as f32);
    let to_page = |value: f32, from: usize, to: f32| {
        (value / from as f32 * to).round_ties_even().clamp(0.0, to)
    };
    Some(
        ordered_corners(&wide)
            .map(|[x, y]| [to_page(x, map.width, width), to_page(y, map.height, height)]),
    )
}

/// The corners in the order of a [`Quad`]. The two left corners are first and last.
fn ordered_corners(rect: &RotatedRect) -> Quad {
    ordered(rect.corners())
}

fn ordered(mut corners: Quad) -> Quad {
    corners.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let [a, b, c, d] = corners;
    let by_height = |p: [f32; 2], q: [f32; 2]| if q[1] > p[1] { (p, q) } else { (q, p) };
    let (top_left, bottom_left) = by_height(a, b);
    let (top_right, bottom_right) = by_height(c, d);
    [top_left, top_right, bottom_right, bottom_left]
}

/// Orders the corners again after they were rounded, and clips them to the page. `None` for a box that is too
/// small.
fn on_page(quad: Quad, size: (u32, u32)) -> Option<Quad> {
    let (right, bottom) = (size.0 as f32 - 1.0, size.1 as f32 - 1.0);
    let quad = ordered(quad).map(|[x, y]| [x.clamp(0.0, right), y.clamp(0.0, bottom)]);
    let large = |to: usize| distance(quad[0], quad[to]) >= LEAST_BOX;
    (large(1) && large(3)).then_some(quad)
}

/// The mean probability over the pixels of the quadrilateral, whose corners are truncated to whole pixels.
fn mean_inside(map: &Map<'_>, quad: &Quad) -> f64 {
    let low = |axis: usize| quad.iter().fold(f32::INFINITY, |m, p| m.min(p[axis]));
    let high = |axis: usize| quad.iter().fold(f32::NEG_INFINITY, |m, p| m.max(p[axis]));
    let clip = |value: f32, side: usize| value.clamp(0.0, side as f32 - 1.0);
    let x0 = clip(low(0).floor(), map.width);
    let x1 = clip(high(0).ceil(), map.width);
    let y0 = clip(low(1).floor(), map.height);
    let y1 = clip(high(1).ceil(), map.height);
    let corners = quad.map(|[x, y]| [(x - x0).trunc() + x0, (y - y0).trunc() + y0]);

    let mut sum = 0.0;
    let mut count = 0usize;
    for y in y0 as usize..=y1 as usize {
        let Some((from, to)) = row_span(&corners, y as f32) else {
            continue;
        };
        let from = from.max(x0) as usize;
        let to = to.min(x1);
        if to < from as f32 {
            continue;
        }
        let row = &map.values[y * map.width + from..=y * map.width + to as usize];
        sum += row.iter().map(|&value| f64::from(value)).sum::<f64>();
        count += row.len();
    }
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// The first and the last pixel of a convex polygon, including its outline, in the row at `y`.
fn row_span(corners: &Quad, y: f32) -> Option<(f32, f32)> {
    let mut span: Option<(f32, f32)> = None;
    for (i, a) in corners.iter().enumerate() {
        let b = &corners[(i + 1) % 4];
        let (top, bottom) = if a[1] <= b[1] { (a, b) } else { (b, a) };
        let (from, to) = (top[1].max(y - 0.5), bottom[1].min(y + 0.5));
        if from > to {
            continue;
        }
        for at in [from, to] {
            let rise = bottom[1] - top[1];
            let ends = if rise == 0.0 {
                [top[0], bottom[0]]
            } else {
                [top[0] + (bottom[0] - top[0]) * (at - top[1]) / rise; 2]
            };
            for x in ends.map(f32::round) {
                let (low, high) = span.unwrap_or((x, x));
                span = Some((low.min(x), high.max(x)));
            }
        }
    }
    span
}

/// Sorts the boxes by their top left corners. Then each box moves before the boxes of its own line that are
/// further right.
fn sort_for_reading(boxes: &mut [Quad]) {
    boxes.sort_by(|a, b| {
        a[0][1]
            .total_cmp(&b[0][1])
            .then(a[0][0].total_cmp(&b[0][0]))
    });
    for end in 1..boxes.len() {
        for i in (0..end).rev() {
            let (left, right) = (boxes[i][0], boxes[i + 1][0]);
            if (right[1] - left[1]).abs() < SAME_LINE && right[0] < left[0] {
                boxes.swap(i, i + 1);
            } else {
                break;
            }
        }
    }
}
