//! The exact observer, which reads the content of a picture of the world. It finds the connected parts that
//! are not grey. The colour of a part is that of its solid pixels, and its form is the one with the best
//! overlap.

use super::draw::cover;
use super::glyphs::LETTERS;
use super::thing::{Cell, Color, Form, Shape};
use super::{CELL, GREY, GRID};
use image::{GrayImage, Luma, RgbImage};
use imageproc::region_labelling::{Connectivity, connected_components};

/// The pixels of a part with at least this share of its largest distance from grey are solid.
const SOLID: f32 = 0.75;
/// The smallest number of pixels of a thing. Smaller parts are stains.
const FEWEST: usize = 6;
/// The largest shift of a form towards a part, in pixels.
const SHIFT: i32 = 1;
/// The largest distance between the starts of two neighbouring letters of a word, in pixels, and the largest
/// difference of their rows.
const APART: f32 = 1.5 * CELL as f32;
const IN_ROW: f32 = 0.5 * CELL as f32;

/// A thing that was found in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The form. `None` if no form fits.
    pub form: Option<Form>,
    /// The colour of the pixels.
    pub color: Color,
    /// The intersection over union with the nearest form, 0 to 1.
    pub overlap: f32,
    /// The first and the last pixels: x1, y1, x2, y2.
    pub bbox: [u32; 4],
}

impl Found {
    /// The cell of its middle. `None` beyond the grid.
    pub fn cell(&self) -> Option<Cell> {
        let [column, row] = self.centre().map(|at| (at / CELL as f32) as usize);
        let inside = row.max(column) < GRID;
        inside.then_some(Cell {
            row: row as u8,
            column: column as u8,
        })
    }

    fn centre(&self) -> [f32; 2] {
        let [x1, y1, x2, y2] = self.bbox.map(|edge| edge as f32);
        [(x1 + x2 + 1.0) / 2.0, (y1 + y2 + 1.0) / 2.0]
    }
}

/// What it takes to be a thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eyes {
    /// The smallest distance from grey, in 8-bit sRGB, of a pixel that belongs to a thing.
    pub far: f32,
    /// The smallest overlap of a part with its form.
    pub overlap: f32,
}

impl Eyes {
    /// Those of the exact observer.
    pub const PLAIN: Self = Self {
        far: 56.0,
        overlap: 0.62,
    };
    /// Others, which see fainter things and want truer forms. A network that was trained by the plain ones
    /// has not learnt to please them.
    pub const OTHER: Self = Self {
        far: 40.0,
        overlap: 0.72,
    };
}

/// All things in a picture, in the reading order of their first pixels.
pub fn things(picture: &RgbImage) -> Vec<Found> {
    things_by(picture, Eyes::PLAIN)
}

/// The same as [`things`], for other eyes.
pub fn things_by(picture: &RgbImage, eyes: Eyes) -> Vec<Found> {
    if picture.is_empty() {
        return Vec::new();
    }
    let mut far = GrayImage::new(picture.width(), picture.height());
    for (mark, pixel) in far.pixels_mut().zip(picture.pixels()) {
        mark.0[0] = u8::from(norm(from_grey(pixel.0)) > eyes.far);
    }
    let labels = connected_components(&far, Connectivity::Eight, Luma([0]));
    let mut parts: Vec<Vec<[u32; 2]>> = Vec::new();
    for (x, y, label) in labels.enumerate_pixels() {
        let Some(part) = (label.0[0] as usize).checked_sub(1) else {
            continue;
        };
        if part >= parts.len() {
            parts.resize_with(part + 1, Vec::new);
        }
        parts[part].push([x, y]);
    }
    let parts = parts.iter().filter(|part| part.len() >= FEWEST);
    parts.map(|part| name(picture, &far, part, eyes)).collect()
}

/// The words of the found letters, line by line, with blanks between words.
pub fn text(found: &[Found]) -> String {
    let lines = lines(found).into_iter().map(|line| {
        let words = line.into_iter().map(|word| word.text);
        words.collect::<Vec<String>>().join(" ")
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// A word that letters form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its letters.
    pub text: String,
    /// The first and the last pixels: x1, y1, x2, y2.
    pub bbox: [u32; 4],
}

/// The words of the found letters with their places, in reading order.
pub fn words(found: &[Found]) -> Vec<Word> {
    lines(found).into_iter().flatten().collect()
}

/// The words of each line of letters.
fn lines(found: &[Found]) -> Vec<Vec<Word>> {
    let mut letters: Vec<([f32; 2], u8, [u32; 4])> = found
        .iter()
        .filter_map(|thing| match thing.form {
            Some(Form::Letter(index)) => Some((thing.centre(), index, thing.bbox)),
            _ => None,
        })
        .collect();
    letters.sort_by(|a, b| a.0[1].total_cmp(&b.0[1]));
    let lines = letters.chunk_by_mut(|a, b| b.0[1] - a.0[1] <= IN_ROW);
    let lines = lines.map(|line| {
        line.sort_by(|a, b| a.0[0].total_cmp(&b.0[0]));
        let words = line.chunk_by(|a, b| b.0[0] - a.0[0] <= APART);
        words.map(word).collect::<Vec<Word>>()
    });
    lines.collect()
}

/// The word of neighbouring letters, from left to right.
fn word(letters: &[([f32; 2], u8, [u32; 4])]) -> Word {
    let text = letters.iter().map(|(_, index, _)| char::from(b'A' + index));
    let boxes = letters.iter().map(|(_, _, bbox)| *bbox);
    let around = |a: [u32; 4], b: [u32; 4]| {
        [
            a[0].min(b[0]),
            a[1].min(b[1]),
            a[2].max(b[2]),
            a[3].max(b[3]),
        ]
    };
    Word {
        text: text.collect(),
        bbox: boxes.reduce(around).unwrap_or_default(),
    }
}

/// The largest distance between the positions of one thing in two pictures, in pixels.
const MOVED: f32 = 2.0;

/// Whether two pictures show the same things: each thing of one picture is in the other, with the same form,
/// colour and place.
pub fn alike(a: &RgbImage, b: &RgbImage) -> bool {
    let (a, mut b) = (things(a), things(b));
    let same = |x: &Found, y: &Found| {
        let (p, q) = (x.centre(), y.centre());
        let near = (p[0] - q[0]).abs().max((p[1] - q[1]).abs()) <= MOVED;
        x.form == y.form && x.color == y.color && near
    };
    let met = a.iter().all(|x| {
        let place = b.iter().position(|y| same(x, y));
        place.map(|place| b.swap_remove(place)).is_some()
    });
    met && b.is_empty()
}

fn from_grey(pixel: [u8; 3]) -> [f32; 3] {
    std::array::from_fn(|c| f32::from(pixel[c]) - f32::from(GREY[c]))
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: [f32; 3]) -> f32 {
    dot(a, a).sqrt()
}

fn name(picture: &RgbImage, far: &GrayImage, part: &[[u32; 2]], eyes: Eyes) -> Found {
    let bbox = bounds(part);
    let color = color(picture, part);
    let window = Window::new(picture, far, part, bbox, color);
    let shapes = Shape::ALL.into_iter().map(Form::Shape);
    let letters = (0..LETTERS.len() as u8).map(Form::Letter);
    let best = shapes
        .chain(letters)
        .map(|form| (window.overlap(form), form))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let (overlap, form) = best.map_or((0.0, None), |(overlap, form)| (overlap, Some(form)));
    Found {
        form: form.filter(|_| overlap >= eyes.overlap),
        color,
        overlap,
        bbox,
    }
}

fn bounds(part: &[[u32; 2]]) -> [u32; 4] {
    let first = [u32::MAX, u32::MAX, 0, 0];
    part.iter().fold(first, |[x1, y1, x2, y2], &[x, y]| {
        [x1.min(x), y1.min(y), x2.max(x), y2.max(y)]
    })
}

/// The colour that is nearest to the mean of the solid pixels of a part.
fn color(picture: &RgbImage, part: &[[u32; 2]]) -> Color {
    let pixels: Vec<[f32; 3]> = part
        .iter()
        .map(|&[x, y]| from_grey(picture.get_pixel(x, y).0))
        .collect();
    let farthest = pixels.iter().map(|&pixel| norm(pixel)).fold(0.0, f32::max);
    let solid = pixels
        .iter()
        .filter(|&&pixel| norm(pixel) >= SOLID * farthest);
    let (sum, count) = solid.fold(([0.0; 3], 0.0), |(sum, count): ([f32; 3], f32), pixel| {
        (std::array::from_fn(|c| sum[c] + pixel[c]), count + 1.0)
    });
    let mean = sum.map(|sum| sum / count.max(1.0));
    let distance = |color: &Color| {
        let ideal = from_grey(color.rgb());
        norm(std::array::from_fn(|c| mean[c] - ideal[c]))
    };
    let nearest = Color::ALL
        .into_iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    nearest.unwrap_or(Color::White)
}

/// Margin of a window around a cell, in pixels.
const MARGIN: i32 = 2;
/// Side of a window, in pixels.
const WIDE: usize = (CELL as i32 + 2 * MARGIN) as usize;

/// The share of each pixel around a part that its colour covers.
struct Window([[f32; WIDE]; WIDE]);

impl Window {
    fn new(
        picture: &RgbImage,
        far: &GrayImage,
        part: &[[u32; 2]],
        bbox: [u32; 4],
        color: Color,
    ) -> Self {
        let ink = from_grey(color.rgb());
        // The start of a cell with the same middle as the part.
        let start = |first: u32, last: u32| {
            ((first + last + 1) as i32 - CELL as i32).div_euclid(2) - MARGIN
        };
        let [left, top] = [start(bbox[0], bbox[2]), start(bbox[1], bbox[3])];
        let share = |x: i32, y: i32| -> f32 {
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
                return 0.0;
            };
            if x >= picture.width() || y >= picture.height() {
                return 0.0;
            }
            let other = far.get_pixel(x, y).0[0] > 0 && !part.contains(&[x, y]);
            if other {
                0.0
            } else {
                (dot(from_grey(picture.get_pixel(x, y).0), ink) / dot(ink, ink)).clamp(0.0, 1.0)
            }
        };
        Self(std::array::from_fn(|y| {
            std::array::from_fn(|x| share(left + x as i32, top + y as i32))
        }))
    }

    /// The best intersection over union for all small shifts of a form.
    fn overlap(&self, form: Form) -> f32 {
        let cover = cover(form);
        let shifts = -SHIFT..=SHIFT;
        let shifts = shifts
            .clone()
            .flat_map(|y| shifts.clone().map(move |x| (x, y)));
        let one = |(right, down): (i32, i32)| {
            let (mut shared, mut union) = (0.0_f32, 0.0_f32);
            for (y, row) in self.0.iter().enumerate() {
                let line = usize::try_from(y as i32 - MARGIN - down).ok();
                let line = line.and_then(|y| cover.get(y));
                for (x, &there) in row.iter().enumerate() {
                    let place = usize::try_from(x as i32 - MARGIN - right).ok();
                    let wanted = place.and_then(|x| line?.get(x)).copied().unwrap_or(0.0);
                    shared += there.min(wanted);
                    union += there.max(wanted);
                }
            }
            if union > 0.0 { shared / union } else { 0.0 }
        };
        shifts.map(one).fold(0.0, f32::max)
    }
}
