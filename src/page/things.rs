//! Plain drawn things.

use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle on its base.
    Triangle,
    /// A star with five points.
    Star,
    /// A cup with a handle at its right.
    Cup,
    /// A tree: a round crown on a trunk.
    Tree,
}

impl Kind {
    /// All values.
    pub const ALL: [Self; 6] = [
        Self::Disc,
        Self::Square,
        Self::Triangle,
        Self::Star,
        Self::Cup,
        Self::Tree,
    ];

    /// The word for it in prompts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disc => "disc",
            Self::Square => "square",
            Self::Triangle => "triangle",
            Self::Star => "star",
            Self::Cup => "cup",
            Self::Tree => "tree",
        }
    }

    /// Whether a point is inside, from −1 at the left and at the top to 1.
    fn contains(self, x: f64, y: f64) -> bool {
        match self {
            Self::Disc => x.hypot(y) <= 1.0,
            Self::Square => x.abs().max(y.abs()) <= 0.9,
            Self::Triangle => (-0.9..=0.9).contains(&y) && x.abs() <= (y + 0.9) / 1.8,
            Self::Star => in_star(x, y),
            Self::Cup => in_cup(x, y),
            Self::Tree => {
                x.hypot(y + 0.35) <= 0.62 || (x.abs() <= 0.14 && (0.0..=1.0).contains(&y))
            }
        }
    }
}

/// A star with a point at the top: the outer radius is 1 and the inner one 0.4.
fn in_star(x: f64, y: f64) -> bool {
    use std::f64::consts::PI;
    // The angle from the nearest point of the star, 0 to a tenth of a turn.
    let fifth = 2.0 * PI / 5.0;
    let angle = x.atan2(-y).rem_euclid(fifth);
    let angle = angle.min(fifth - angle);
    // The edge goes from (1, 0) to 0.4 at a tenth of a turn.
    let (a, b) = (x.hypot(y) * angle.cos(), x.hypot(y) * angle.sin());
    let (end_a, end_b) = (0.4 * (PI / 5.0).cos(), 0.4 * (PI / 5.0).sin());
    a + b * (1.0 - end_a) / end_b <= 1.0
}

fn in_cup(x: f64, y: f64) -> bool {
    let bowl = (-0.8..=0.9).contains(&y) && (-0.75..=0.4 - 0.1 * (y + 0.8)).contains(&x);
    let ring = (x - 0.4).hypot(y + 0.05);
    bowl || (x > 0.3 && (0.3..=0.5).contains(&ring))
}

/// One thing of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// Its colour.
    pub color: [u8; 3],
    /// The column of its centre, in pixels.
    pub x: i32,
    /// The row of its centre, in pixels.
    pub y: i32,
    /// Half of its width and height, in pixels.
    pub half: i32,
}

impl Thing {
    /// Draws the thing. Edges are sharp.
    pub(super) fn draw(&self, picture: &mut RgbImage) {
        let half = f64::from(self.half.max(1));
        for row in self.y - self.half..=self.y + self.half {
            for column in self.x - self.half..=self.x + self.half {
                let (x, y) = (f64::from(column - self.x), f64::from(row - self.y));
                let place = (u32::try_from(column), u32::try_from(row));
                if let (Ok(column), Ok(row)) = place
                    && self.kind.contains(x / half, y / half)
                    && let Some(pixel) = picture.get_pixel_mut_checked(column, row)
                {
                    *pixel = Rgb(self.color);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(kind: Kind) -> f64 {
        let mut picture = RgbImage::new(101, 101);
        let thing = Thing {
            kind,
            color: [255; 3],
            x: 50,
            y: 50,
            half: 50,
        };
        thing.draw(&mut picture);
        let white = picture.pixels().filter(|pixel| pixel.0[0] == 255).count();
        white as f64 / 1e4
    }

    #[test]
    fn things_have_their_areas() {
        // In units of the square around them, whose side is 2.
        for (kind, area) in [
            (Kind::Disc, std::f64::consts::PI),
            (Kind::Square, 1.8 * 1.8),
            (Kind::Triangle, 1.8),
            // Ten triangles with sides 1 and 0.4 and 36° between them.
            (Kind::Star, 5.0 * 0.4 * (std::f64::consts::PI / 5.0).sin()),
        ] {
            let found = 4.0 * share(kind);
            assert!((found - area).abs() < 0.1, "{kind:?}: {found}, not {area}");
        }
        assert!(share(Kind::Cup) > 0.3 && share(Kind::Tree) > 0.25);
    }

    #[test]
    fn a_thing_at_the_border_is_cut() {
        let mut picture = RgbImage::new(10, 10);
        let thing = Thing {
            kind: Kind::Square,
            color: [255; 3],
            x: 0,
            y: 0,
            half: 5,
        };
        thing.draw(&mut picture);
        assert_eq!(picture.get_pixel(0, 0).0, [255; 3]);
        assert_eq!(picture.get_pixel(9, 9).0, [0; 3]);
    }
}
