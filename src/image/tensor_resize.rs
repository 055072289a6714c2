//! PyTorch's bicubic resize of float pictures, with and without antialiasing
//! (`torch.nn.functional.interpolate`).

use image::RgbImage;

/// The start of a window, and its weights.
type Window = (usize, Vec<f32>);

/// Resizes the channels, scaled to 0..=1, to `width` × `height`. Nothing is rounded or clipped. The result
/// has the shape `[3, height, width]`.
///
/// With `antialias`, the window widens with the ratio and a = −0.5. Without it, a = −0.75 and there are four
/// taps.
pub fn bicubic(image: &RgbImage, width: usize, height: usize, antialias: bool) -> Vec<f32> {
    let (old_width, old_height) = (image.width() as usize, image.height() as usize);
    let across = windows(old_width, width, antialias);
    let down = windows(old_height, height, antialias);
    let mut out = Vec::with_capacity(3 * width * height);
    for channel in 0..3 {
        let mut rows = vec![0f32; old_height * width];
        for (y, row) in rows.chunks_exact_mut(width).enumerate() {
            let line = &image.as_raw()[y * old_width * 3..(y + 1) * old_width * 3];
            for (to, (start, weights)) in row.iter_mut().zip(&across) {
                let taps = weights.iter().enumerate();
                *to = taps
                    .map(|(i, weight)| {
                        weight * (f32::from(line[(start + i) * 3 + channel]) / 255.0)
                    })
                    .sum();
            }
        }
        for (start, weights) in &down {
            out.extend((0..width).map(|x| {
                let taps = weights.iter().enumerate();
                taps.map(|(i, weight)| weight * rows[(start + i) * width + x])
                    .sum::<f32>()
            }));
        }
    }
    out
}

/// Keys' cubic kernel.
pub fn cubic(x: f64, a: f64) -> f64 {
    match x.abs() {
        x if x < 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * a,
        _ => 0.0,
    }
}

fn windows(old: usize, new: usize, antialias: bool) -> Vec<Window> {
    let scale = old as f64 / new as f64;
    let window = |place: usize| {
        if antialias {
            wide_window(old, scale, place)
        } else {
            four_taps(old, scale, place)
        }
    };
    (0..new).map(window).collect()
}

fn wide_window(old: usize, scale: f64, place: usize) -> Window {
    let stretch = scale.max(1.0);
    let centre = (place as f64 + 0.5) * scale;
    let start = (centre - 2.0 * stretch + 0.5).max(0.0) as usize;
    let end = ((centre + 2.0 * stretch + 0.5) as usize).min(old);
    let weights: Vec<f64> = (start..end)
        .map(|i| cubic((i as f64 - centre + 0.5) / stretch, -0.5))
        .collect();
    let sum: f64 = weights.iter().sum();
    (
        start,
        weights.into_iter().map(|w| (w / sum) as f32).collect(),
    )
}

/// The window of four taps. Taps beyond the edge read the edge pixel, so their weights are added to its
/// weight.
fn four_taps(old: usize, scale: f64, place: usize) -> Window {
    let at = (place as f64 + 0.5) * scale - 0.5;
    let (floor, part) = (at.floor(), at - at.floor());
    let last = old as i64 - 1;
    let taps: Vec<(i64, f64)> = (-1..=2)
        .map(|tap| {
            let position = (floor as i64 + tap).clamp(0, last);
            (position, cubic(part - tap as f64, -0.75))
        })
        .collect();
    let start = taps[0].0;
    let mut weights = vec![0f32; (taps[3].0 - start + 1) as usize];
    for (position, weight) in taps {
        weights[(position - start) as usize] += weight as f32;
    }
    (start as usize, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// python: `F.interpolate(x, (h, w), mode="bicubic", align_corners=False, antialias=…)` on the picture
    /// below (tests/golden/detector/resize.py).
    #[test]
    fn both_forms_are_those_of_pytorch() {
        let image = RgbImage::from_fn(7, 5, |x, y| {
            let value = |c: u32| ((x * 37 + y * 91 + c * 53) % 256) as u8;
            image::Rgb([value(0), value(1), value(2)])
        });
        let expected: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/golden/detector/resize.json")).unwrap();
        let cases = expected.as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let number = |key: &str| case[key].as_u64().unwrap() as usize;
            let antialias = case["antialias"].as_bool().unwrap();
            let got = bicubic(&image, number("width"), number("height"), antialias);
            let want: Vec<f32> = serde_json::from_value(case["values"].clone()).unwrap();
            assert_eq!(got.len(), want.len());
            for (a, b) in got.iter().zip(&want) {
                assert!((a - b).abs() < 5e-6, "{case}: {a} {b}");
            }
        }
    }
}
