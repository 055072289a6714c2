//! `cv2.minAreaRect` and `cv2.boxPoints`.
//!
//! The computation uses `f32` and the same operations as OpenCV. Callers truncate the corners to integers,
//! where 41.0 and 40.99999 differ.

/// A rectangle at any angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RotatedRect {
    /// The centre, in pixels.
    pub center: [f32; 2],
    /// Lengths along the rectangle's own axes, in pixels.
    pub size: [f32; 2],
    /// Degrees from the x axis to the first of the rectangle's own axes.
    pub angle: f32,
}

impl RotatedRect {
    /// The four corners in order around the rectangle.
    pub fn corners(&self) -> [[f32; 2]; 4] {
        let radians = f64::from(self.angle) * std::f64::consts::PI / 180.0;
        let cos = radians.cos() as f32 * 0.5;
        let sin = radians.sin() as f32 * 0.5;
        let [x, y] = self.center;
        let [width, height] = self.size;
        let first = [
            x - sin * height - cos * width,
            y + cos * height - sin * width,
        ];
        let second = [
            x + sin * height - cos * width,
            y - cos * height - sin * width,
        ];
        let opposite = |corner: [f32; 2]| [2.0 * x - corner[0], 2.0 * y - corner[1]];
        [first, second, opposite(first), opposite(second)]
    }

    /// The length of the shorter side, in pixels.
    pub fn shorter_side(&self) -> f32 {
        self.size[0].min(self.size[1])
    }
}

/// The rectangle with the least area around the points. Without points, it is empty and at the origin.
pub fn min_area_rect(points: &[[i32; 2]]) -> RotatedRect {
    let hull: Vec<[f32; 2]> = convex_hull(points)
        .into_iter()
        .map(|index| points[index].map(|value| value as f32))
        .collect();
    match hull.as_slice() {
        [] => RotatedRect {
            center: [0.0; 2],
            size: [0.0; 2],
            angle: 0.0,
        },
        [only] => RotatedRect {
            center: *only,
            size: [0.0; 2],
            angle: 0.0,
        },
        [a, b] => {
            let (dx, dy) = (f64::from(b[0] - a[0]), f64::from(b[1] - a[1]));
            RotatedRect {
                center: [(a[0] + b[0]) * 0.5, (a[1] + b[1]) * 0.5],
                size: [dx.hypot(dy) as f32, 0.0],
                angle: degrees(dx, dy),
            }
        }
        hull => calipers(hull),
    }
}

fn degrees(dx: f64, dy: f64) -> f32 {
    let radians = dy.atan2(dx) as f32;
    (f64::from(radians) * 180.0 / std::f64::consts::PI) as f32
}

/// The indices of the strictly convex vertices, in the direction left → bottom → right → top (y points down).
/// If the points follow an outline, the first vertex is the one that comes first, or last for an outline in
/// the opposite direction.
fn convex_hull(points: &[[i32; 2]]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_unstable_by_key(|&index| (points[index], index));
    order.dedup_by_key(|index| points[*index]);
    if order.len() < 3 {
        return order;
    }
    let mut hull = half_hull(points, order.iter().copied());
    hull.pop();
    let back = half_hull(points, order.iter().rev().copied());
    hull.extend(&back[..back.len() - 1]);
    align_to_outline(&mut hull);
    hull
}

/// The part of the hull that keeps all points on one side on the way from the first point to the last.
fn half_hull(points: &[[i32; 2]], order: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut chain: Vec<usize> = Vec::new();
    for index in order {
        while let [.., a, b] = chain[..] {
            if cross(points[a], points[b], points[index]) < 0 {
                break;
            }
            chain.pop();
        }
        chain.push(index);
    }
    chain
}

fn cross(a: [i32; 2], b: [i32; 2], c: [i32; 2]) -> i64 {
    let step = |from: [i32; 2], to: [i32; 2], axis: usize| i64::from(to[axis] - from[axis]);
    step(a, b, 0) * step(b, c, 1) - step(a, b, 1) * step(b, c, 0)
}

/// Rotates the cycle so that the indices ascend, or descend, if a rotation does that.
fn align_to_outline(hull: &mut [usize]) {
    let ascending = |a: &usize, b: &usize| a < b;
    for start in [least(hull, ascending), least(hull, |a, b| a > b)] {
        let mut turned = hull.to_vec();
        turned.rotate_left(start);
        let rises = turned.is_sorted();
        let falls = turned.is_sorted_by(|a, b| a > b);
        if rises || falls {
            hull.copy_from_slice(&turned);
            return;
        }
    }
}

fn least(values: &[usize], before: impl Fn(&usize, &usize) -> bool) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if before(value, &values[best]) {
            best = index;
        }
    }
    best
}

/// The supporting rectangle with the least area so far.
struct Best {
    area: f32,
    base: [f32; 2],
    width: f32,
    height: f32,
    left: usize,
    bottom: usize,
}

/// Rotating calipers: one side of the smallest rectangle is on a hull edge (Freeman and Shapira 1975,
/// Toussaint 1983).
fn calipers(hull: &[[f32; 2]]) -> RotatedRect {
    let n = hull.len();
    let edges: Vec<[f32; 2]> = (0..n)
        .map(|i| {
            let (from, to) = (hull[i], hull[(i + 1) % n]);
            [to[0] - from[0], to[1] - from[1]]
        })
        .collect();
    let inverse_lengths: Vec<f32> = edges
        .iter()
        .map(|edge| {
            let [dx, dy] = edge.map(f64::from);
            (1.0 / (dx * dx + dy * dy).sqrt()) as f32
        })
        .collect();

    // The points where the sides touch while they are parallel to the axes: least y, greatest x, greatest y,
    // least x.
    let mut touch = [
        extreme(hull, |point, best| point[1] < best[1]),
        extreme(hull, |point, best| point[0] > best[0]),
        extreme(hull, |point, best| point[1] > best[1]),
        extreme(hull, |point, best| point[0] < best[0]),
    ];
    let mut base = [orientation(&edges), 0.0];
    let mut best: Option<Best> = None;
    for _ in 0..n {
        let [a, b] = base;
        let sides = [[a, b], [-b, a], [-a, -b], [b, -a]];
        let mut lead = 0;
        let mut greatest = f32::NEG_INFINITY;
        for (side, axis) in sides.iter().enumerate() {
            let edge = edges[touch[side]];
            let cosine = (axis[0] * edge[0] + axis[1] * edge[1]) * inverse_lengths[touch[side]];
            if cosine > greatest {
                (lead, greatest) = (side, cosine);
            }
        }
        let along = edges[touch[lead]].map(|value| value * inverse_lengths[touch[lead]]);
        base = match lead {
            0 => along,
            1 => [along[1], -along[0]],
            2 => [-along[0], -along[1]],
            _ => [-along[1], along[0]],
        };
        touch[lead] = (touch[lead] + 1) % n;

        let [a, b] = base;
        let across = difference(hull[touch[1]], hull[touch[3]]);
        let width = across[0] * a + across[1] * b;
        let down = difference(hull[touch[2]], hull[touch[0]]);
        let height = -down[0] * b + down[1] * a;
        let area = width * height;
        if best.as_ref().is_none_or(|best| area <= best.area) {
            best = Some(Best {
                area,
                base,
                width,
                height,
                left: touch[3],
                bottom: touch[0],
            });
        }
    }
    best.map_or(
        RotatedRect {
            center: hull[0],
            size: [0.0; 2],
            angle: 0.0,
        },
        |best| best.rectangle(hull),
    )
}

impl Best {
    fn rectangle(&self, hull: &[[f32; 2]]) -> RotatedRect {
        let [a, b] = self.base;
        let along = a * hull[self.left][0] + hull[self.left][1] * b;
        let across = -b * hull[self.bottom][0] + hull[self.bottom][1] * a;
        let inverse = 1.0 / (a * a + b * b);
        let corner = [
            (along * a - across * b) * inverse,
            (a * across + b * along) * inverse,
        ];
        let first = [a * self.width, b * self.width];
        let second = [-b * self.height, a * self.height];
        let length = |side: [f32; 2]| {
            let [x, y] = side.map(f64::from);
            (x * x + y * y).sqrt() as f32
        };
        RotatedRect {
            center: [
                corner[0] + (first[0] + second[0]) * 0.5,
                corner[1] + (first[1] + second[1]) * 0.5,
            ],
            size: [length(first), length(second)],
            angle: degrees(f64::from(first[0]), f64::from(first[1])),
        }
    }
}

fn difference(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

fn extreme(hull: &[[f32; 2]], better: impl Fn([f32; 2], [f32; 2]) -> bool) -> usize {
    let mut best = 0;
    for (index, &point) in hull.iter().enumerate() {
        if better(point, hull[best]) {
            best = index;
        }
    }
    best
}

/// +1 if the hull turns from x towards y, and −1 otherwise.
fn orientation(edges: &[[f32; 2]]) -> f32 {
    let turn = edges[edges.len() - 1];
    let convexity =
        f64::from(turn[0]) * f64::from(edges[0][1]) - f64::from(turn[1]) * f64::from(edges[0][0]);
    if convexity > 0.0 { 1.0 } else { -1.0 }
}
