//! Border following: `cv2.findContours(…, RETR_LIST, CHAIN_APPROX_NONE)`.

/// Foreground that no border has followed yet.
const FRESH: i8 = 1;
/// On a border that was followed.
const SEEN: i8 = 2;
/// On a border that was followed, with background to the right. No hole starts here again.
const SEEN_RIGHT: i8 = -2;

/// The eight neighbours counter-clockwise, starting on the right (y points down).
const NEIGHBOURS: [(i32, i32); 8] = [
    (1, 0),
    (1, -1),
    (0, -1),
    (-1, -1),
    (-1, 0),
    (-1, 1),
    (0, 1),
    (1, 1),
];

/// Every outer border and hole border of the 8-connected foreground (the non-zero pixels), as pixel
/// coordinates in the order of following. The borders are ordered from the bottom of the bitmap to its top.
///
/// Suzuki and Abe, "Topological structural analysis of digitized binary images by border following" (1985),
/// without the hierarchy. `bitmap` is row-major, `width` × its length / `width`.
pub fn borders(bitmap: &[u8], width: usize) -> Vec<Vec<[i32; 2]>> {
    if width == 0 {
        return Vec::new();
    }
    let mut canvas = Canvas::new(bitmap, width);
    let mut found = Vec::new();
    for y in 1..=canvas.height {
        let mut left = 0;
        for x in 1..=width + 1 {
            let here = canvas.cells[y * canvas.stride + x];
            if here != left {
                if left == 0 && here == FRESH {
                    found.push(canvas.follow(x, y, 4));
                } else if here == 0 && left > 0 {
                    found.push(canvas.follow(x - 1, y, 0));
                }
            }
            left = canvas.cells[y * canvas.stride + x];
        }
    }
    found.reverse();
    found
}

/// The bitmap inside a frame of background, one pixel wide.
struct Canvas {
    cells: Vec<i8>,
    stride: usize,
    height: usize,
    steps: [isize; 8],
}

impl Canvas {
    fn new(bitmap: &[u8], width: usize) -> Self {
        let height = bitmap.len() / width;
        let stride = width + 2;
        let mut cells = vec![0; stride * (height + 2)];
        for (y, row) in bitmap.chunks_exact(width).enumerate() {
            let start = (y + 1) * stride + 1;
            for (cell, &value) in cells[start..start + width].iter_mut().zip(row) {
                *cell = i8::from(value != 0);
            }
        }
        let steps = NEIGHBOURS.map(|(dx, dy)| dy as isize * stride as isize + dx as isize);
        Self {
            cells,
            stride,
            height,
            steps,
        }
    }

    fn neighbour(&self, at: usize, direction: usize) -> usize {
        at.wrapping_add_signed(self.steps[direction & 7])
    }

    fn point(&self, at: usize) -> [i32; 2] {
        [(at % self.stride) as i32 - 1, (at / self.stride) as i32 - 1]
    }

    /// Follows the border that starts at (x, y), with its background in the direction `outside`.
    fn follow(&mut self, x: usize, y: usize, outside: usize) -> Vec<[i32; 2]> {
        let start = y * self.stride + x;
        let clockwise = (1..8)
            .map(|turn| (outside + 8 - turn) & 7)
            .find(|&direction| self.cells[self.neighbour(start, direction)] != 0);
        let Some(first) = clockwise else {
            self.cells[start] = SEEN_RIGHT;
            return vec![self.point(start)];
        };
        let last = self.neighbour(start, first);

        let mut points = Vec::new();
        let mut here = start;
        let mut came_from = first;
        loop {
            let mut turn = 1;
            while self.cells[self.neighbour(here, came_from + turn)] == 0 {
                turn += 1;
            }
            let direction = (came_from + turn) & 7;
            let looked_right = (1..turn).any(|passed| (came_from + passed) & 7 == 0);
            if looked_right {
                self.cells[here] = SEEN_RIGHT;
            } else if self.cells[here] == FRESH {
                self.cells[here] = SEEN;
            }
            points.push(self.point(here));
            let next = self.neighbour(here, direction);
            if next == start && here == last {
                return points;
            }
            here = next;
            came_from = (direction + 4) & 7;
        }
    }
}
