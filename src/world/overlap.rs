//! Scenes whose things hide each other in part, with exact maps of what is where.

use super::random::Random;
use super::thing::{Color, Shape};
use super::{GREY, SIDE, draw};
use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};

/// The share of each thing that is visible at least.
const VISIBLE: f64 = 0.4;
/// Half of the width of the smallest and of the largest thing, in pixels.
const HALVES: [usize; 2] = [5, 9];
/// Number of sub-pixels along the side of a pixel.
const FINE: usize = 4;

/// One thing. Later things of a scene are in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its shape.
    pub shape: Shape,
    /// Its colour, which no other thing of the scene has.
    pub color: Color,
    /// The column of its centre, in pixels.
    pub x: u32,
    /// The row of its centre, in pixels.
    pub y: u32,
    /// Half of its width and height, in pixels.
    pub half: u32,
}

impl Layer {
    /// The share of a pixel that the thing covers.
    fn cover(&self, x: u32, y: u32) -> f32 {
        let at = |place: u32, centre: u32, fine: usize| {
            f64::from(place) - f64::from(centre) + (fine as f64 + 0.5) / FINE as f64
        };
        // No shape reaches beyond its half: most pixels of a picture are far from a thing.
        if x.abs_diff(self.x) > self.half || y.abs_diff(self.y) > self.half {
            return 0.0;
        }
        let half = f64::from(self.half);
        let points = (0..FINE * FINE).filter(|point| {
            let (right, down) = (at(x, self.x, point % FINE), at(y, self.y, point / FINE));
            draw::inside(self.shape, right, down, half)
        });
        points.count() as f32 / (FINE * FINE) as f32
    }

    fn covers(&self, x: u32, y: u32) -> bool {
        self.cover(x, y) >= 0.5
    }
}

/// A scene with things from the farthest to the nearest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlap {
    /// The things.
    pub layers: Vec<Layer>,
}

impl Overlap {
    /// Two to four things at random places. Each is visible in large part, and at least two overlap.
    pub fn sampled(random: &mut Random) -> Self {
        loop {
            let count = 2 + random.below(3);
            let colors = random.several(&Color::ALL, count);
            let layers = colors.into_iter().map(|color| {
                let half = HALVES[0] + random.below(HALVES[1] - HALVES[0] + 1);
                let free = SIDE as usize - 2 * half + 1;
                Layer {
                    shape: random.pick(&Shape::ALL),
                    color,
                    x: (half + random.below(free)) as u32,
                    y: (half + random.below(free)) as u32,
                    half: half as u32,
                }
            });
            let scene = Self {
                layers: layers.collect(),
            };
            if scene.is_clear() {
                return scene;
            }
        }
    }

    /// Whether each thing is visible, and one is hidden in part.
    fn is_clear(&self) -> bool {
        let owners = self.owners();
        let shares = self.layers.iter().zip(1_u8..).map(|(layer, number)| {
            let seen = owners.iter().filter(|owner| **owner == number).count();
            let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
            let all = places.filter(|(x, y)| layer.covers(*x, *y)).count();
            seen as f64 / all.max(1) as f64
        });
        let shares: Vec<f64> = shares.collect();
        shares.iter().all(|share| *share >= VISIBLE) && shares.iter().any(|share| *share < 1.0)
    }

    /// The picture.
    pub fn picture(&self) -> RgbImage {
        RgbImage::from_fn(SIDE, SIDE, |x, y| {
            let mut pixel = GREY;
            for layer in &self.layers {
                let share = layer.cover(x, y);
                for (value, ink) in pixel.iter_mut().zip(layer.color.rgb()) {
                    let under = f32::from(*value);
                    *value = (under + share * (f32::from(ink) - under)).round() as u8;
                }
            }
            Rgb(pixel)
        })
    }

    /// The number of the thing that each pixel shows, row by row: 0 is the background, and 1 the farthest
    /// thing.
    pub fn owners(&self) -> Vec<u8> {
        let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        let owner = |(x, y): (u32, u32)| {
            let nearest = self.layers.iter().rposition(|layer| layer.covers(x, y));
            nearest.map_or(0, |place| place as u8 + 1)
        };
        places.map(owner).collect()
    }

    /// A picture with a colour for each pixel, by the number of the thing that it shows.
    pub fn painted(&self, color: impl Fn(u8) -> [u8; 3]) -> RgbImage {
        let owners = self.owners();
        RgbImage::from_fn(SIDE, SIDE, |x, y| {
            Rgb(color(owners[(y * SIDE + x) as usize]))
        })
    }

    /// The first and the last pixels of what is visible of a thing: x1, y1, x2, y2.
    pub fn visible_box(&self, number: u8) -> [u32; 4] {
        let owners = self.owners();
        let shown = (0..SIDE * SIDE).filter(|place| owners[*place as usize] == number);
        let none = [SIDE, SIDE, 0, 0];
        shown.fold(none, |[x1, y1, x2, y2], place| {
            let (x, y) = (place % SIDE, place / SIDE);
            [x1.min(x), y1.min(y), x2.max(x), y2.max(y)]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(shape: Shape, color: Color, [x, y, half]: [u32; 3]) -> Layer {
        Layer {
            shape,
            color,
            x,
            y,
            half,
        }
    }

    #[test]
    fn later_things_are_in_front() {
        let scene = Overlap {
            layers: vec![
                layer(Shape::Square, Color::Red, [10, 10, 5]),
                layer(Shape::Square, Color::Blue, [14, 10, 5]),
            ],
        };
        let owners = scene.owners();
        let at = |x: u32, y: u32| owners[(y * SIDE + x) as usize];
        assert_eq!([at(5, 5), at(8, 10), at(9, 10), at(18, 14)], [1, 1, 2, 2]);
        assert_eq!([at(4, 10), at(19, 10), at(10, 15)], [0; 3]);
        assert_eq!(scene.visible_box(1), [5, 5, 8, 14]);
        assert_eq!(scene.visible_box(2), [9, 5, 18, 14]);
        let picture = scene.picture();
        assert_eq!(picture.get_pixel(8, 10).0, Color::Red.rgb());
        assert_eq!(picture.get_pixel(12, 10).0, Color::Blue.rgb());
        assert_eq!(picture.get_pixel(0, 0).0, GREY);
    }

    #[test]
    fn each_thing_is_visible_and_one_is_hidden_in_part() {
        let mut random = Random::new(1, 1);
        for _ in 0..50 {
            let scene = Overlap::sampled(&mut random);
            assert!((2..=4).contains(&scene.layers.len()));
            assert!(scene.is_clear());
            for number in 1..=scene.layers.len() as u8 {
                assert!(scene.owners().contains(&number));
            }
        }
    }

    // Brighter below is the prior of photographs. Here it must say nothing.
    #[test]
    fn the_order_does_not_depend_on_the_height() {
        let mut random = Random::new(2, 1);
        let (mut lower, mut pairs) = (0, 0);
        for _ in 0..400 {
            let scene = Overlap::sampled(&mut random);
            for (place, far) in scene.layers.iter().enumerate() {
                for near in &scene.layers[place + 1..] {
                    if near.y != far.y {
                        lower += usize::from(near.y > far.y);
                        pairs += 1;
                    }
                }
            }
        }
        let share = lower as f64 / pairs as f64;
        assert!((0.45..0.55).contains(&share), "{share}");
    }
}
