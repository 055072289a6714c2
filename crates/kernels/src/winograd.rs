//! Convolution with kernels of 3 × 3 by minimal filtering, F(2 × 2, 3 × 3) of Lavin and Gray (arXiv 1509.09308):
//! 16 products for four values of the result, where the plain way needs 36.
//!
//! A tile is four values of the result, two by two, and the 16 values of the picture that they depend on.
//! A band is some rows of tiles. Each core transforms, multiplies and transforms back one band at a time, and
//! what it holds stays small. Where a band begins depends on the sizes alone, so the numbers do not depend on
//! the number of cores.

use super::product::{filled, product};
use gemm::Parallelism;
use rayon::prelude::*;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Number of products of a tile for one pair of channels.
const POINTS: usize = 16;
/// Number of tiles of a band, about: enough for a product of matrices to be at its best.
const TILES: usize = 192;
/// Fewer channels or places than these are quicker by the plain way.
const CHANNELS: usize = 96;
const PLACES: usize = 1024;

/// The sizes of pictures [C, H, W] and results [O, H, W].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Winograd {
    /// Channels of the picture.
    pub channels: usize,
    /// Channels of the result.
    pub outputs: usize,
    /// Rows of both.
    pub height: usize,
    /// Columns of both.
    pub width: usize,
}

/// Two rows of a picture's plane that are not there, and each other place outside the picture, are 0.
struct Line {
    /// The values at odd columns, from −1 on.
    odd: Vec<f32>,
    /// The values at even columns, from 0 on.
    even: Vec<f32>,
}

/// The result, whose rows several bands write.
struct Rows(*mut MaybeUninit<f32>);

// SAFETY: each band writes rows of its own, see `Winograd::band`.
unsafe impl Sync for Rows {}

impl Winograd {
    /// Whether this way is quicker than the plain one.
    pub(crate) fn pays(self) -> bool {
        self.channels.min(self.outputs) >= CHANNELS && self.height * self.width >= PLACES
    }

    /// Columns of tiles.
    fn across(self) -> usize {
        self.width.div_ceil(2)
    }

    /// The rows of tiles of each band.
    fn bands(self) -> Vec<Range<usize>> {
        let rows = self.height.div_ceil(2);
        let step = (TILES / self.across()).clamp(1, rows);
        let starts = (0..rows).step_by(step);
        starts.map(|start| start..rows.min(start + step)).collect()
    }

    /// The kernel [O, C, 3, 3] as 16 matrices [O, C].
    pub(crate) fn kernel(self, kernel: &[f32]) -> Vec<f32> {
        let each = self.outputs * self.channels;
        let mut out = vec![0.0; POINTS * each];
        let places: Vec<&mut [f32]> = out.chunks_exact_mut(each).collect();
        let mut rows: Vec<Vec<&mut [f32]>> = (0..self.outputs).map(|_| Vec::new()).collect();
        for place in places {
            for (row, part) in rows.iter_mut().zip(place.chunks_exact_mut(self.channels)) {
                row.push(part);
            }
        }
        let kernels = kernel.par_chunks_exact(9 * self.channels);
        rows.par_iter_mut().zip(kernels).for_each(|(row, kernels)| {
            for (channel, kernel) in kernels.as_chunks::<9>().0.iter().enumerate() {
                let points = kernel_points(kernel);
                for (part, value) in row.iter_mut().zip(points) {
                    part[channel] = value;
                }
            }
        });
        out
    }

    /// Writes the result of one picture. `kernel` comes from [`Winograd::kernel`].
    pub(crate) fn picture(self, picture: &[f32], kernel: &[f32], out: &mut [MaybeUninit<f32>]) {
        assert!(picture.len() == self.channels * self.height * self.width);
        assert!(out.len() == self.outputs * self.height * self.width);
        let rows = Rows(out.as_mut_ptr());
        let bands = self.bands();
        bands
            .into_par_iter()
            .for_each(|band| self.band(picture, kernel, &rows, band));
    }

    fn band(self, picture: &[f32], kernel: &[f32], out: &Rows, band: Range<usize>) {
        let tiles = band.len() * self.across();
        let seen = self.transformed(picture, band.clone());
        let products = filled(POINTS * self.outputs * tiles, |products| {
            let each = products.chunks_exact_mut(self.outputs * tiles);
            let seen = seen.chunks_exact(self.channels * tiles);
            let kernels = kernel.chunks_exact(self.outputs * self.channels);
            for ((products, seen), kernel) in each.zip(seen).zip(kernels) {
                product(
                    (self.outputs, tiles, self.channels),
                    (products, tiles),
                    (kernel, self.channels, 1),
                    (seen, tiles, 1),
                    1.0,
                    Parallelism::None,
                );
            }
        });
        let mut row = vec![[0.0; 2]; self.across()];
        for output in 0..self.outputs {
            for (number, tile_row) in band.clone().enumerate() {
                for down in 0..2 {
                    let y = 2 * tile_row + down;
                    if y >= self.height {
                        continue;
                    }
                    let first = (output * band.len() + number) * self.across();
                    self.back(&products, tiles, first, down, &mut row);
                    let start = (output * self.height + y) * self.width;
                    for (x, value) in row.as_flattened()[..self.width].iter().enumerate() {
                        // SAFETY: `picture` checks that the place is inside; rows of different bands differ,
                        // and nothing reads the result before all bands end.
                        unsafe { out.0.add(start + x).write(MaybeUninit::new(*value)) };
                    }
                }
            }
        }
    }

    /// One row of the result for a row of tiles: `first` is the place of its first tile in each of the 16
    /// products, `down` the row in the tile.
    fn back(self, products: &[f32], tiles: usize, first: usize, down: usize, row: &mut [[f32; 2]]) {
        let plane = self.outputs * tiles;
        let of = |point: usize| products[point * plane + first..][..self.across()].iter();
        let column = |x: usize| {
            let all = of(x).zip(of(4 + x)).zip(of(8 + x)).zip(of(12 + x));
            all.map(move |(((p, q), r), s)| if down == 0 { p + q + r } else { q - r - s })
        };
        let columns = column(0).zip(column(1)).zip(column(2)).zip(column(3));
        for (pair, (((a, b), c), d)) in row.iter_mut().zip(columns) {
            *pair = [a + b + c, b - c - d];
        }
    }

    /// The picture as 16 matrices [C, tiles of the band].
    fn transformed(self, picture: &[f32], band: Range<usize>) -> Vec<f32> {
        let (across, tiles) = (self.across(), band.len() * self.across());
        let plane = self.channels * tiles;
        let mut out = vec![0.0; POINTS * plane];
        let mut lines: [Line; 4] = std::array::from_fn(|_| Line {
            odd: vec![0.0; across + 1],
            even: vec![0.0; across + 1],
        });
        for channel in 0..self.channels {
            let source = &picture[channel * self.height * self.width..];
            for (number, tile_row) in band.clone().enumerate() {
                for (place, line) in lines.iter_mut().enumerate() {
                    let y = (2 * tile_row + place).checked_sub(1);
                    let y = y.filter(|y| *y < self.height);
                    line.read(y.map(|y| &source[y * self.width..][..self.width]));
                }
                let first = (channel * band.len() + number) * across;
                for down in 0..4 {
                    let four = &mut out[4 * down * plane..][..4 * plane];
                    transform_row(&lines, down, four, plane, first);
                }
            }
        }
        out
    }
}

impl Line {
    fn read(&mut self, row: Option<&[f32]>) {
        let Some(row) = row else {
            self.odd.fill(0.0);
            self.even.fill(0.0);
            return;
        };
        // The last values stay 0: nothing else is written there.
        let (pairs, last) = row.as_chunks::<2>();
        for ((even, odd), pair) in self.even.iter_mut().zip(&mut self.odd[1..]).zip(pairs) {
            [*even, *odd] = *pair;
        }
        if let [last] = last {
            self.even[pairs.len()] = *last;
            self.odd[pairs.len() + 1..].fill(0.0);
        } else {
            self.even[pairs.len()..].fill(0.0);
        }
        self.odd[0] = 0.0;
    }
}

/// A row of the 4 × 4 transformed values, for all tiles of a row: four lines of `out`, which are `plane`
/// values apart and begin at `first`.
fn transform_row(lines: &[Line; 4], down: usize, out: &mut [f32], plane: usize, first: usize) {
    let (plus, p, q) = match down {
        0 => (false, &lines[0], &lines[2]),
        1 => (true, &lines[1], &lines[2]),
        2 => (false, &lines[2], &lines[1]),
        _ => (false, &lines[1], &lines[3]),
    };
    let across = p.odd.len() - 1;
    let sign = if plus { 1.0 } else { -1.0 };
    let (a, rest) = out.split_at_mut(plane);
    let (b, rest) = rest.split_at_mut(plane);
    let (c, d) = rest.split_at_mut(plane);
    let outs = [a, b, c, d].map(|part| &mut part[first..first + across]);
    let [a, b, c, d] = outs;
    // Slices of one length, so that the loop needs no checks.
    let [p_odd, p_even, q_odd, q_even] =
        [&p.odd, &p.even, &q.odd, &q.even].map(|line| &line[..across + 1]);
    let odd = |at: usize| p_odd[at] + sign * q_odd[at];
    let even = |at: usize| p_even[at] + sign * q_even[at];
    for at in 0..across {
        // The columns of a tile are −1, 0, 1, 2 from its place on: odd, even, odd, even.
        let (left, mid, right, far) = (odd(at), even(at), odd(at + 1), even(at + 1));
        a[at] = left - right;
        b[at] = mid + right;
        c[at] = right - mid;
        d[at] = mid - far;
    }
}

/// The 16 values of a kernel of 3 × 3, row by row.
fn kernel_points(kernel: &[f32; 9]) -> [f32; POINTS] {
    let four = |[a, b, c]: [f32; 3]| [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c];
    let columns: [[f32; 4]; 3] =
        std::array::from_fn(|x| four([kernel[x], kernel[3 + x], kernel[6 + x]]));
    let mut out = [0.0; POINTS];
    for (y, row) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *row = four([columns[0][y], columns[1][y], columns[2][y]]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern, from a linear congruence.
    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..count).map(|_| next()).collect()
    }

    /// The definition of the convolution, in f64.
    fn plain(sizes: Winograd, picture: &[f32], kernel: &[f32]) -> Vec<f64> {
        let Winograd {
            channels,
            outputs,
            height,
            width,
        } = sizes;
        let mut out = Vec::new();
        for output in 0..outputs {
            for place in 0..height * width {
                let (y, x) = (place / width, place % width);
                let mut sum = 0.0;
                for channel in 0..channels {
                    for (dy, dx) in (0..9).map(|tap| (tap / 3, tap % 3)) {
                        let (row, column) = (y + dy, x + dx);
                        if (1..=height).contains(&row) && (1..=width).contains(&column) {
                            let value = picture[(channel * height + row - 1) * width + column - 1];
                            let weight = kernel[((output * channels + channel) * 3 + dy) * 3 + dx];
                            sum += f64::from(value) * f64::from(weight);
                        }
                    }
                }
                out.push(sum);
            }
        }
        out
    }

    #[test]
    fn a_picture_of_any_size_is_that_of_the_definition() {
        for (height, width) in [(1, 1), (2, 2), (3, 5), (8, 8), (9, 30), (31, 17), (40, 41)] {
            let sizes = Winograd {
                channels: 5,
                outputs: 7,
                height,
                width,
            };
            let picture = numbers(5 * height * width, 1);
            let kernel = numbers(7 * 5 * 9, 2);
            let points = sizes.kernel(&kernel);
            let out = filled(7 * height * width, |out| {
                sizes.picture(&picture, &points, out)
            });
            let exact = plain(sizes, &picture, &kernel);
            for (place, (value, exact)) in out.iter().zip(exact).enumerate() {
                let error = (f64::from(*value) - exact).abs();
                assert!(
                    error < 5e-6,
                    "{height} × {width}, {place}: {value}, {exact}"
                );
            }
        }
    }

    #[test]
    fn bands_are_all_rows_of_tiles_once() {
        for (height, width) in [(1, 1), (33, 7), (64, 64), (100, 1000), (513, 2)] {
            let sizes = Winograd {
                channels: 1,
                outputs: 1,
                height,
                width,
            };
            let rows: Vec<usize> = sizes.bands().into_iter().flatten().collect();
            assert_eq!(rows, (0..height.div_ceil(2)).collect::<Vec<_>>());
        }
    }
}
