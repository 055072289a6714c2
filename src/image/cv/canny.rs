//! `cv2.Canny` with an aperture of 3 and the L1 norm, exact to the bit.

use super::grey;
use crate::image::edit::Mask;
use image::RgbImage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tangent of 22.5°, times 2^15, as OpenCV rounds it.
const TANGENT: i64 = 13_573;
/// The digits of [`TANGENT`] after the point.
const SHIFT: u32 = 15;

/// The channels whose gradients count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// All three: each pixel has the gradient of the channel where it is largest, as in ControlNet's
    /// annotators.
    #[default]
    Rgb,
    /// OpenCV's grey.
    Grey,
}

/// The gradient of a pixel: to the right, downwards, and the sum of both sizes.
#[derive(Debug, Clone, Copy, Default)]
struct Gradient {
    dx: i32,
    dy: i32,
    size: i32,
}

/// The edges of a picture. Pixels whose gradient exceeds `high` are edges, and so are those that exceed `low`
/// and are connected with them. The picture is not blurred first.
pub fn canny(picture: &RgbImage, channels: Channels, [low, high]: [u32; 2]) -> Mask {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let [low, high] = [low, high].map(|bound| i32::try_from(bound).unwrap_or(i32::MAX));
    let field = gradients(picture, channels);
    let candidate: Vec<bool> = (0..width * height)
        .map(|place| {
            let (x, y) = (place % width, place / width);
            field[place].size > low && is_ridge(&field, (width, height), (x, y))
        })
        .collect();
    let mut edge = vec![false; candidate.len()];
    let mut open: Vec<usize> = (0..candidate.len())
        .filter(|place| candidate[*place] && field[*place].size > high)
        .collect();
    for place in &open {
        edge[*place] = true;
    }
    while let Some(place) = open.pop() {
        for next in neighbours(place, width, height) {
            if candidate[next] && !edge[next] {
                edge[next] = true;
                open.push(next);
            }
        }
    }
    Mask::from_fn(width, height, |x, y| edge[y * width + x])
}

/// The places of the up to eight neighbours.
fn neighbours(place: usize, width: usize, height: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (place % width, place / width);
    let rows = y.saturating_sub(1)..=(y + 1).min(height - 1);
    rows.flat_map(move |row| {
        let columns = x.saturating_sub(1)..=(x + 1).min(width - 1);
        columns.map(move |column| row * width + column)
    })
    .filter(move |next| *next != place)
}

/// Whether a pixel's gradient is larger than those of its neighbours across the edge.
fn is_ridge(field: &[Gradient], (width, height): (usize, usize), (x, y): (usize, usize)) -> bool {
    let Gradient { dx, dy, size } = field[y * width + x];
    // Beyond the border, the gradient is 0.
    let size_at = |right: isize, down: isize| {
        let (x, y) = (x.checked_add_signed(right), y.checked_add_signed(down));
        match (x, y) {
            (Some(x), Some(y)) if x < width && y < height => field[y * width + x].size,
            _ => 0,
        }
    };
    let (along, up) = (i64::from(dx.abs()), i64::from(dy.abs()) << SHIFT);
    let flat = along * TANGENT;
    if up < flat {
        return size > size_at(-1, 0) && size >= size_at(1, 0);
    }
    if up > flat + (along << (SHIFT + 1)) {
        return size > size_at(0, -1) && size >= size_at(0, 1);
    }
    let side = if (dx ^ dy) < 0 { -1 } else { 1 };
    size > size_at(-side, -1) && size > size_at(side, 1)
}

/// Sobel's gradients with a window of 3 × 3 pixels. The border is repeated.
fn gradients(picture: &RgbImage, channels: Channels) -> Vec<Gradient> {
    let planes: Vec<Vec<i32>> = match channels {
        Channels::Grey => vec![picture.pixels().map(|p| i32::from(grey(p.0))).collect()],
        Channels::Rgb => (0..3)
            .map(|channel| picture.pixels().map(|p| i32::from(p.0[channel])).collect())
            .collect(),
    };
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut field = Vec::with_capacity(width * height);
    for y in 0..height {
        let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)];
        for x in 0..width {
            let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
            let mut best = Gradient::default();
            for (number, plane) in planes.iter().enumerate() {
                let found = sobel(rows.map(|y| columns.map(|x| plane[y * width + x])));
                if number == 0 || found.size > best.size {
                    best = found;
                }
            }
            field.push(best);
        }
    }
    field
}

fn sobel([above, middle, below]: [[i32; 3]; 3]) -> Gradient {
    let slope = |row: [i32; 3]| row[2] - row[0];
    let smooth = |row: [i32; 3]| row[0] + 2 * row[1] + row[2];
    let dx = slope(above) + 2 * slope(middle) + slope(below);
    let dy = smooth(below) - smooth(above);
    Gradient {
        dx,
        dy,
        size: dx.abs() + dy.abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use serde_json::Value;
    use sha2::{Digest, Sha256};

    /// The picture of tests/golden/probes/make.py, `pattern`.
    fn pattern() -> RgbImage {
        RgbImage::from_fn(64, 64, |x, y| {
            let disc = (x.abs_diff(30).pow(2) + y.abs_diff(34).pow(2)) < 400;
            Rgb([
                ((x * x + 3 * y * y) / 16 % 256) as u8,
                ((7 * x + y * y / 5) % 256) as u8,
                if disc { 220 } else { 40 },
            ])
        })
    }

    fn hash(mask: &Mask) -> String {
        let bytes: Vec<u8> = mask.pixels().iter().map(|white| u8::from(*white)).collect();
        let digest = Sha256::digest(bytes);
        digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    // cv2.Canny on the same pattern.
    #[test]
    fn the_edges_of_the_pattern_are_opencvs() {
        for (channels, bounds, count, expected) in [
            (Channels::Rgb, [100, 200], 575, "5ec6209bb5dbff1e"),
            (Channels::Rgb, [50, 100], 625, "278f3ab85c718bb1"),
            (Channels::Rgb, [200, 400], 476, "00d0f1271d6630f8"),
            (Channels::Grey, [100, 200], 539, "1d21007be390dd63"),
            (Channels::Grey, [50, 100], 725, "5793a3b2dc1c3245"),
            (Channels::Grey, [200, 400], 316, "f7db3e8256df2488"),
        ] {
            let edges = canny(&pattern(), channels, bounds);
            assert_eq!((edges.count(), hash(&edges).as_str()), (count, expected));
        }
    }

    #[test]
    fn one_channel_alone_has_the_edges_of_its_disc() {
        let mut blue = pattern();
        for pixel in blue.pixels_mut() {
            pixel.0 = [pixel.0[2]; 3];
        }
        for bounds in [[100, 200], [50, 100], [200, 400]] {
            let edges = canny(&blue, Channels::Rgb, bounds);
            assert_eq!(
                (edges.count(), hash(&edges).as_str()),
                (128, "c169833c0f8efeb6")
            );
        }
    }

    // 60 random pictures, each with both kinds of channels and four pairs of bounds.
    #[test]
    fn the_edges_of_random_pictures_are_opencvs() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../tests/golden/probes/canny.json")).unwrap();
        let cases = golden.as_array().unwrap();
        assert_eq!(cases.len(), 60);
        for case in cases {
            let [width, height, seed] =
                ["width", "height", "seed"].map(|key| case[key].as_u64().unwrap());
            let picture = noise(width as u32, height as u32, seed);
            for found in case["edges"].as_array().unwrap() {
                let channels = Channels::deserialize(&found["channels"]).unwrap();
                let bounds = <[u32; 2]>::deserialize(&found["bounds"]).unwrap();
                let edges = canny(&picture, channels, bounds);
                assert_eq!(hash(&edges), found["sha256"], "{case}");
            }
        }
    }

    /// Blocks of random colours with a little noise, as make.py draws them.
    fn noise(width: u32, height: u32, seed: u64) -> RgbImage {
        let mut state = seed;
        let mut below = |limit: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let side = 1 + below(8) as u32;
        let grain = 1 + below(60);
        let across = width.div_ceil(side) as usize;
        let blocks: Vec<[u64; 3]> = (0..across * height.div_ceil(side) as usize)
            .map(|_| [below(256), below(256), below(256)])
            .collect();
        let mut picture = RgbImage::new(width, height);
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            let block = blocks[(y / side) as usize * across + (x / side) as usize];
            pixel.0 = block.map(|value| (value + below(grain)).min(255) as u8);
        }
        picture
    }

    #[test]
    fn a_picture_without_pixels_or_slopes_has_no_edges() {
        let flat = RgbImage::from_pixel(5, 4, Rgb([90; 3]));
        assert_eq!(canny(&flat, Channels::Rgb, [100, 200]).count(), 0);
        let none = RgbImage::new(0, 0);
        assert_eq!(canny(&none, Channels::Grey, [100, 200]).count(), 0);
    }
}
