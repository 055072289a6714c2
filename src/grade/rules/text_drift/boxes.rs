//! Boxes of lines, in pixels: left, top, right and bottom.

/// A box.
pub(super) type Rect = [f64; 4];

pub(super) fn area([left, top, right, bottom]: Rect) -> f64 {
    (right - left).max(0.0) * (bottom - top).max(0.0)
}

pub(super) fn intersection(a: Rect, b: Rect) -> f64 {
    area([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ])
}

pub(super) fn iou(a: Rect, b: Rect) -> f64 {
    let both = intersection(a, b);
    let union = area(a) + area(b) - both;
    if union > 0.0 { both / union } else { 0.0 }
}

/// The smallest box around two boxes.
pub(super) fn around(a: Rect, b: Rect) -> Rect {
    [
        a[0].min(b[0]),
        a[1].min(b[1]),
        a[2].max(b[2]),
        a[3].max(b[3]),
    ]
}

pub(super) fn centre([left, top, right, bottom]: Rect) -> [f64; 2] {
    [f64::midpoint(left, right), f64::midpoint(top, bottom)]
}

/// The middle of the left edge.
pub(super) fn start([left, top, _, bottom]: Rect) -> [f64; 2] {
    [left, f64::midpoint(top, bottom)]
}

pub(super) fn width([left, _, right, _]: Rect) -> f64 {
    right - left
}

/// The shorter side, which is the height of a line.
pub(super) fn height([left, top, right, bottom]: Rect) -> f64 {
    (right - left).min(bottom - top)
}

/// The distance between two points.
pub(super) fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The shortest distance between two boxes. 0 if they meet.
pub(super) fn gap(a: Rect, b: Rect) -> f64 {
    let across = (b[0] - a[2]).max(a[0] - b[2]).max(0.0);
    let down = (b[1] - a[3]).max(a[1] - b[3]).max(0.0);
    across.hypot(down)
}
