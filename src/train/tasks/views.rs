//! What self-distillation makes of one picture: two views that show the same, and patches that are hidden.

use crate::world::random::Random;
use crate::world::{GREY, SIDE};
use image::{Rgb, RgbImage};
use serde::Deserialize;

/// How views differ from their picture.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ViewSettings {
    /// Most pixels that a view is shifted each way; what comes in is the background.
    pub shift: usize,
    /// Most that brightness is scaled by, up or down.
    pub brightness: f64,
    /// Most that each channel is moved by, in 8-bit steps.
    pub color: f64,
    /// How often a rectangle hides something.
    pub occlusion: f64,
    /// The largest side of the rectangle, in pixels.
    pub occluded: usize,
    /// How often patches of a view are hidden.
    pub masked: f64,
    /// The least and the largest share of patches that are hidden.
    pub hidden: [f64; 2],
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            shift: 3,
            brightness: 0.08,
            color: 8.0,
            occlusion: 0.3,
            occluded: 4,
            masked: 0.5,
            hidden: [0.1, 0.5],
        }
    }
}

/// A view of a picture.
pub(super) fn view(picture: &RgbImage, settings: &ViewSettings, random: &mut Random) -> RgbImage {
    let mut offset = || random.below(2 * settings.shift + 1) as i64 - settings.shift as i64;
    let (right, down) = (offset(), offset());
    let scale = 1.0 + settings.brightness * swing(random);
    let move_by: [f64; 3] = std::array::from_fn(|_| settings.color * swing(random));
    let hidden = random
        .chance(settings.occlusion)
        .then(|| Rectangle::sampled(settings, random));
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let from = |at: u32, by: i64| u32::try_from(i64::from(at) - by).ok();
        let pixel = from(x, right).zip(from(y, down));
        let pixel = pixel.and_then(|(x, y)| picture.get_pixel_checked(x, y));
        let shown = match &hidden {
            Some(rectangle) if rectangle.holds(x, y) => None,
            _ => pixel,
        };
        let pixel = shown.copied().unwrap_or(Rgb(GREY));
        let jittered = |channel: usize| f64::from(pixel[channel]) * scale + move_by[channel];
        Rgb(std::array::from_fn(|channel| {
            jittered(channel).round() as u8
        }))
    })
}

/// Which of the patches of a view are hidden. Sometimes none are.
pub(super) fn mask(patches: usize, settings: &ViewSettings, random: &mut Random) -> Vec<bool> {
    let mut mask = vec![false; patches];
    if random.chance(settings.masked) {
        let [least, most] = settings.hidden;
        let share = least + (most - least) * uniform(random);
        let count = ((share * patches as f64).round() as usize).max(1);
        let all: Vec<usize> = (0..patches).collect();
        for patch in random.several(&all, count) {
            mask[patch] = true;
        }
    }
    mask
}

/// Draws a rectangle that hides a part of the view.
struct Rectangle {
    corner: [u32; 2],
    sides: [u32; 2],
}

impl Rectangle {
    fn sampled(settings: &ViewSettings, random: &mut Random) -> Self {
        Self {
            corner: std::array::from_fn(|_| random.below(SIDE as usize) as u32),
            sides: std::array::from_fn(|_| 1 + random.below(settings.occluded.max(1)) as u32),
        }
    }

    fn holds(&self, x: u32, y: u32) -> bool {
        let within = |at: u32, axis: usize| {
            (self.corner[axis]..self.corner[axis] + self.sides[axis]).contains(&at)
        };
        within(x, 0) && within(y, 1)
    }
}

/// A uniform random number in 0 … 1.
fn uniform(random: &mut Random) -> f64 {
    random.below(1 << 24) as f64 / f64::from(1 << 24)
}

/// A uniform random number in −1 … 1.
fn swing(random: &mut Random) -> f64 {
    2.0 * uniform(random) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_shows_its_picture_shifted_and_a_little_recoloured() {
        let still = ViewSettings {
            shift: 0,
            brightness: 0.0,
            color: 0.0,
            occlusion: 0.0,
            ..ViewSettings::default()
        };
        let picture = RgbImage::from_fn(32, 32, |x, y| Rgb([x as u8 * 7, y as u8 * 7, 90]));
        let mut random = Random::new(1, 1);
        assert_eq!(view(&picture, &still, &mut random), picture);
        let shifted = ViewSettings { shift: 3, ..still };
        let mut shifts = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let view = view(&picture, &shifted, &mut random);
            // The pixel in the middle shows where the pixels come from.
            let middle = view.get_pixel(16, 16);
            let (right, down) = (16 - i32::from(middle[0] / 7), 16 - i32::from(middle[1] / 7));
            shifts.insert((right, down));
            for (x, y, pixel) in view.enumerate_pixels() {
                let (x, y) = (x as i32 - right, y as i32 - down);
                let inside = (0..32).contains(&x) && (0..32).contains(&y);
                let expected = if inside {
                    *picture.get_pixel(x as u32, y as u32)
                } else {
                    Rgb(GREY)
                };
                assert_eq!(*pixel, expected);
            }
        }
        assert!(shifts.len() > 40 && shifts.iter().all(|(x, y)| x.abs().max(y.abs()) <= 3));
        let lit = ViewSettings {
            color: 8.0,
            ..still
        };
        let view = view(&picture, &lit, &mut random);
        let differences = view.as_raw().iter().zip(picture.as_raw());
        let differences: Vec<u8> = differences.map(|(a, b)| a.abs_diff(*b)).collect();
        assert!(differences.iter().all(|by| *by <= 9) && differences.iter().any(|by| *by > 0));
    }

    #[test]
    fn as_many_patches_are_hidden_as_the_settings_say() {
        let settings = ViewSettings {
            masked: 0.5,
            hidden: [0.25, 0.5],
            ..ViewSettings::default()
        };
        let mut random = Random::new(2, 1);
        let counts = (0..400).map(|_| {
            let mask = mask(16, &settings, &mut random);
            mask.iter().filter(|hidden| **hidden).count()
        });
        let counts: Vec<usize> = counts.collect();
        let none = counts.iter().filter(|count| **count == 0).count();
        assert!((150..250).contains(&none), "{none}");
        assert!(
            counts
                .iter()
                .all(|count| *count == 0 || (4..=8).contains(count))
        );
    }
}
