//! Edges: counts at every threshold, with and without a tolerance.

use crate::image::cv::grey;
use crate::image::edit::Mask;
use crate::image::maps::{match_edges, thin, tolerance};
use crate::image::pillow::{Filter, resize};
use crate::record::evidence::{Counts, EdgeMeasures, f_distance};
use crate::world::random::Random;
use image::RgbImage;

/// The number of random maps for the null.
const DRAWS: usize = 20;
/// Thresholds are k / 100 for k from 1 to this.
const STEPS: u32 = 99;

/// Compares a drawn map with the exact edges. Without `radius`, the tolerance follows from the size.
pub(super) fn measure(
    output: &RgbImage,
    reference: &Mask,
    radius: Option<f64>,
    seed: u64,
) -> EdgeMeasures {
    let (width, height) = (reference.width(), reference.height());
    let radius = radius.unwrap_or_else(|| tolerance(width, height));
    let (values, inverted) = brightness(output, (width, height));
    // Both maps are thinned, so that the exact one is right at all its pixels.
    let reference = &thin(reference);
    let mut thresholds: Vec<Counts> = Vec::new();
    let mut exact = Counts::default();
    let mut last: Option<(usize, Counts)> = None;
    for step in 1..=STEPS {
        // value / 255 ≥ step / 100
        let drawn = Mask::from_fn(width, height, |x, y| {
            100 * u32::from(values[y * width + x]) >= 255 * step
        });
        // A higher threshold only removes pixels, so an equal number is an equal map.
        let known = last.filter(|(count, _)| *count == drawn.count());
        let counts = if let Some((_, counts)) = known {
            counts
        } else {
            match_edges(&thin(&drawn), reference, radius)
        };
        last = Some((drawn.count(), counts));
        thresholds.push(counts);
        if step == 50 {
            exact = match_edges(&thin(&drawn), reference, 0.0);
        }
    }
    EdgeMeasures {
        radius,
        inverted,
        thresholds,
        exact,
        null: null(reference, radius, seed),
    }
}

/// The grey values of a drawn map at a size, with bright lines, and whether they were inverted for it.
fn brightness(output: &RgbImage, (width, height): (usize, usize)) -> (Vec<u8>, bool) {
    let mut map = output.clone();
    for pixel in map.pixels_mut() {
        pixel.0 = [grey(pixel.0); 3];
    }
    let map = resize(&map, width as u32, height as u32, Filter::Bicubic);
    let values: Vec<u8> = map.pixels().map(|pixel| pixel.0[0]).collect();
    let sum: u64 = values.iter().map(|value| u64::from(*value)).sum();
    let inverted = 2 * sum > 255 * values.len() as u64;
    if inverted {
        (
            values.into_iter().map(|value| u8::MAX - value).collect(),
            true,
        )
    } else {
        (values, false)
    }
}

/// The mean F of maps with as many pixels as the reference at random places.
fn null(reference: &Mask, radius: f64, seed: u64) -> f64 {
    let places: Vec<usize> = (0..reference.pixels().len()).collect();
    let count = reference.count();
    let drawn = (0..DRAWS).map(|draw| {
        let chosen = Random::new(seed, draw as u64).several(&places, count);
        let mut white = vec![false; places.len()];
        for place in chosen {
            white[place] = true;
        }
        let width = reference.width();
        let points = Mask::from_fn(width, reference.height(), |x, y| white[y * width + x]);
        f_distance(match_edges(&points, reference, radius)).unwrap_or(0.0)
    });
    drawn.sum::<f64>() / DRAWS as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn picture(mask: &Mask) -> RgbImage {
        RgbImage::from_fn(mask.width() as u32, mask.height() as u32, |x, y| {
            let white = mask.pixels()[y as usize * mask.width() + x as usize];
            Rgb([if white { 255 } else { 0 }; 3])
        })
    }

    #[test]
    fn the_exact_map_is_right_at_every_threshold_also_when_inverted() {
        let line = Mask::from_fn(40, 30, |x, y| x == 12 && y > 3 && y < 25);
        let exact = measure(&picture(&line), &line, None, 1);
        assert_eq!((exact.thresholds.len(), exact.inverted), (99, false));
        assert!(
            exact
                .thresholds
                .iter()
                .all(|counts| f_distance(*counts) == Some(1.0))
        );
        assert_eq!(f_distance(exact.exact), Some(1.0));
        let mut dark = picture(&line);
        dark.iter_mut().for_each(|value| *value = 255 - *value);
        let inverted = measure(&dark, &line, None, 1);
        assert!(inverted.inverted);
        assert_eq!(inverted.thresholds, exact.thresholds);
    }

    #[test]
    fn faint_lines_are_lost_at_high_thresholds() {
        let line = Mask::from_fn(40, 30, |x, _| x == 12);
        let faint = RgbImage::from_fn(40, 30, |x, _| Rgb([if x == 12 { 102 } else { 0 }; 3]));
        let found = measure(&faint, &line, None, 1);
        // 102 / 255 is 0.4.
        assert_eq!(f_distance(found.thresholds[39]), Some(1.0));
        assert_eq!(f_distance(found.thresholds[40]), Some(0.0));
        assert_eq!(f_distance(found.exact), Some(0.0));
    }

    #[test]
    fn random_points_are_right_by_chance() {
        let line = Mask::from_fn(40, 30, |x, _| x % 4 == 0);
        let found = null(&line, 1.0, 1);
        // Three of four columns are near a line, and about as many line pixels are near a point.
        assert!((0.6..0.85).contains(&found), "{found}");
        assert_eq!(found, null(&line, 1.0, 1));
    }
}
