//! Structural similarity (Wang et al., IEEE TIP 13(4), 2004) with the defaults of torchmetrics. This equals
//! scikit-image with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False`.

use super::mask::Mask;
use image::RgbImage;
use rayon::prelude::*;

/// Number of pixels that the window reaches to each side.
pub const SSIM_RADIUS: usize = 5;
const WINDOW: usize = 2 * SSIM_RADIUS + 1;
const SIGMA: f64 = 1.5;
/// (0.01 · 255)² and (0.03 · 255)².
const C1: f64 = 6.5025;
const C2: f64 = 58.5225;
/// Number of rows that are processed at a time.
const BAND: usize = 32;

/// The means of the similarity over each of these regions, by window centre. Windows that reach beyond the
/// picture do not count. A region without a window has no mean. Both pictures have the same size.
pub fn ssim(a: &RgbImage, b: &RgbImage, regions: &[&Mask]) -> Vec<Option<f64>> {
    let (width, height) = (a.width() as usize, a.height() as usize);
    let rows = height.saturating_sub(WINDOW - 1);
    if rows == 0 || width < WINDOW || a.dimensions() != b.dimensions() {
        return vec![None; regions.len()];
    }
    let bands: Vec<Vec<(f64, u64)>> = (0..rows)
        .into_par_iter()
        .step_by(BAND)
        .map(|start| {
            let end = (start + BAND).min(rows);
            Band::new(a, b, start, end).means(regions)
        })
        .collect();
    (0..regions.len())
        .map(|region| {
            // The bands are added in order, so that the sum does not depend on threads.
            let sums = bands.iter().map(|band| band[region]);
            let (sum, count) = sums.fold((0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            (count > 0).then(|| sum / count as f64)
        })
        .collect()
}

/// The similarities of the windows that begin in some rows, averaged over the channels.
struct Band {
    start: usize,
    columns: usize,
    values: Vec<f64>,
}

/// Weighted sums around each window centre of a row: a, b, a² + b², ab.
type Moments = [Vec<f64>; 4];

impl Band {
    fn new(a: &RgbImage, b: &RgbImage, start: usize, end: usize) -> Self {
        let width = a.width() as usize;
        let columns = width - (WINDOW - 1);
        let mut values = vec![0.0; columns * (end - start)];
        let weights = weights();
        for channel in 0..3 {
            let across: Vec<Moments> = (start..end + WINDOW - 1)
                .map(|y| {
                    let [a, b] = [a, b].map(|image| line(image, y, channel));
                    let squares = a.iter().zip(&b).map(|(a, b)| a * a + b * b).collect();
                    let products = a.iter().zip(&b).map(|(a, b)| a * b).collect();
                    [a, b, squares, products].map(|line: Vec<f64>| smooth(&line, &weights))
                })
                .collect();
            let rows = across.windows(WINDOW).zip(values.chunks_exact_mut(columns));
            for (rows, values) in rows {
                let [a, b, squares, products] =
                    [0, 1, 2, 3].map(|moment| down(rows, moment, &weights));
                for (x, value) in values.iter_mut().enumerate() {
                    *value += similarity(a[x], b[x], squares[x], products[x]) / 3.0;
                }
            }
        }
        Self {
            start,
            columns,
            values,
        }
    }

    fn means(&self, regions: &[&Mask]) -> Vec<(f64, u64)> {
        let mean = |region: &&Mask| {
            let mut sum = (0.0, 0);
            let rows = region.rows().skip(self.start + SSIM_RADIUS);
            for (values, row) in self.values.chunks_exact(self.columns).zip(rows) {
                for (value, inside) in values.iter().zip(&row[SSIM_RADIUS..]) {
                    if *inside {
                        sum = (sum.0 + value, sum.1 + 1);
                    }
                }
            }
            sum
        };
        regions.iter().map(mean).collect()
    }
}

fn similarity(a: f64, b: f64, squares: f64, products: f64) -> f64 {
    let (means, product) = (a * a + b * b, a * b);
    let luminance = (2.0 * product + C1) / (means + C1);
    luminance * (2.0 * (products - product) + C2) / (squares - means + C2)
}

fn weights() -> [f64; WINDOW] {
    let raw: [f64; WINDOW] = std::array::from_fn(|i| {
        let x = (i as f64 - SSIM_RADIUS as f64) / SIGMA;
        (-x * x / 2.0).exp()
    });
    let sum: f64 = raw.iter().sum();
    raw.map(|weight| weight / sum)
}

fn line(image: &RgbImage, y: usize, channel: usize) -> Vec<f64> {
    let row = 3 * image.width() as usize;
    let pixels = image.as_raw()[y * row..(y + 1) * row].chunks_exact(3);
    pixels.map(|pixel| f64::from(pixel[channel])).collect()
}

fn smooth(line: &[f64], weights: &[f64; WINDOW]) -> Vec<f64> {
    let mut out = vec![0.0; line.len() - (WINDOW - 1)];
    for (offset, weight) in weights.iter().enumerate() {
        for (out, value) in out.iter_mut().zip(&line[offset..]) {
            *out += weight * value;
        }
    }
    out
}

fn down(rows: &[Moments], moment: usize, weights: &[f64; WINDOW]) -> Vec<f64> {
    let mut out = vec![0.0; rows[0][moment].len()];
    for (row, weight) in rows.iter().zip(weights) {
        for (out, value) in out.iter_mut().zip(&row[moment]) {
            *out += weight * value;
        }
    }
    out
}
