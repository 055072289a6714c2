//! The box of a line of text.

/// The corners clockwise from the top left, in whole pixels.
pub(super) type Quad = [[f32; 2]; 4];

/// The distance between two points.
pub(super) fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    (dx * dx + dy * dy).sqrt()
}
