//! Draws the pixels of a scene. Each form is a mask of one cell, which is blended over grey.

use super::glyphs::LETTERS;
use super::scene::Scene;
use super::thing::{Cell, Color, Form, HALF, Shape};
use super::{CELL, GREY, SIDE};
use image::{Rgb, RgbImage};
use std::sync::LazyLock;

const WIDTH: usize = CELL as usize;
/// Number of sub-pixels along the side of a pixel.
const FINE: usize = 8;

/// The share of each pixel of a cell that a form covers, row by row.
pub type Cover = [[f32; WIDTH]; WIDTH];

/// The empty picture.
pub fn blank() -> RgbImage {
    RgbImage::from_pixel(SIDE, SIDE, Rgb(GREY))
}

/// The picture of a scene.
pub fn scene(scene: &Scene) -> RgbImage {
    let mut picture = blank();
    for thing in &scene.things {
        draw_form(
            &mut picture,
            Form::Shape(thing.shape),
            thing.color,
            thing.cell,
        );
    }
    picture
}

/// Blends one form into its cell.
pub fn draw_form(picture: &mut RgbImage, form: Form, color: Color, cell: Cell) {
    let [left, top] = cell.corner();
    let ink = color.rgb();
    for (y, row) in (top..).zip(cover(form)) {
        for (x, &share) in (left..).zip(row) {
            let pixel = picture.get_pixel_mut(x, y);
            for (channel, ink) in pixel.0.iter_mut().zip(ink) {
                let under = f32::from(*channel);
                *channel = (under + share * (f32::from(ink) - under)).round() as u8;
            }
        }
    }
}

/// The mask of a form.
pub fn cover(form: Form) -> &'static Cover {
    static SHAPES: LazyLock<[Cover; 3]> = LazyLock::new(|| Shape::ALL.map(shape));
    static GLYPHS: LazyLock<[Cover; 26]> = LazyLock::new(|| std::array::from_fn(letter));
    match form {
        Form::Shape(shape) => &SHAPES[shape as usize],
        Form::Letter(index) => &GLYPHS[usize::from(index) % LETTERS.len()],
    }
}

/// The mask of a shape in the middle of its cell, as shares of sub-pixels inside the shape.
fn shape(shape: Shape) -> Cover {
    let centre = f64::from(CELL) / 2.0;
    let at = |place: usize, fine: usize| place as f64 + (fine as f64 + 0.5) / FINE as f64 - centre;
    let share = |x: usize, y: usize| {
        let points = (0..FINE * FINE)
            .filter(|point| inside(shape, at(x, point % FINE), at(y, point / FINE), HALF));
        points.count() as f32 / (FINE * FINE) as f32
    };
    std::array::from_fn(|y| std::array::from_fn(|x| share(x, y)))
}

/// Whether a point, relative to the centre, is in the shape, which is `half` from the centre to its sides.
pub(super) fn inside(shape: Shape, x: f64, y: f64, half: f64) -> bool {
    match shape {
        Shape::Circle => x.hypot(y) <= half,
        Shape::Square => x.abs().max(y.abs()) <= half,
        // The apex is at the top.
        Shape::Triangle => y.abs() <= half && x.abs() <= (y + half) / 2.0,
    }
}

/// The mask of a letter, one pixel away from the left and the upper edge.
fn letter(index: usize) -> Cover {
    let mut cover = [[0.0; WIDTH]; WIDTH];
    for (row, line) in cover.iter_mut().skip(1).zip(LETTERS[index]) {
        for (share, ink) in row.iter_mut().skip(1).zip(line.bytes()) {
            *share = f32::from(u8::from(ink == b'#'));
        }
    }
    cover
}
