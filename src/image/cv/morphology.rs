//! OpenCV's dilation, erosion and closing of regions. Pixels beyond the border are ignored.

use crate::image::edit::Mask;
use rayon::prelude::*;

/// A structuring element: one span of pixels in each of its rows, relative to the anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(Vec<Span>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    row: isize,
    from: isize,
    to: isize,
}

impl Element {
    /// `getStructuringElement(MORPH_ELLIPSE, (side, side))`, with the anchor in the middle.
    pub fn ellipse(side: usize) -> Self {
        let (side, middle) = (side as isize, (side / 2) as isize);
        let squared = (middle * middle) as f64;
        let span = |row: isize| {
            let reach = match middle {
                0 => 0,
                _ => {
                    let part = (squared - (row * row) as f64) / squared;
                    (middle as f64 * part.max(0.0).sqrt()).round_ties_even() as isize
                }
            };
            Span {
                row,
                from: -reach,
                to: reach.min(side - 1 - middle),
            }
        };
        Self((-middle..side - middle).map(span).collect())
    }

    /// All pixels that are at most `radius` rows and columns away.
    pub fn square(radius: usize) -> Self {
        let radius = radius as isize;
        let span = |row| Span {
            row,
            from: -radius,
            to: radius,
        };
        Self((-radius..=radius).map(span).collect())
    }
}

/// Marks that no pixel to the right is white.
const NONE: u32 = u32::MAX;

/// White where the element, centred on a pixel, meets a white pixel.
pub fn dilate(mask: &Mask, element: &Element) -> Mask {
    let (width, height) = (mask.width(), mask.height());
    if width == 0 || height == 0 {
        return mask.clone();
    }
    let next = next_white(mask);
    let mut white = vec![false; width * height];
    white
        .par_chunks_exact_mut(width)
        .enumerate()
        .for_each(|(y, out)| {
            for span in &element.0 {
                let row = y as isize + span.row;
                if !(0..height as isize).contains(&row) {
                    continue;
                }
                let next = &next[row as usize * width..][..width];
                if next[0] != NONE {
                    reach(next, *span, out);
                }
            }
        });
    Mask::from_pixels(width, height, white).unwrap_or_else(|| mask.clone())
}

/// Marks the pixels whose span in a row contains a white pixel.
fn reach(next: &[u32], span: Span, out: &mut [bool]) {
    for (x, out) in out.iter_mut().enumerate() {
        let (from, to) = (x as isize + span.from, x as isize + span.to);
        if to >= 0
            && let Some(first) = next.get(from.max(0) as usize)
        {
            *out |= *first as usize <= to as usize;
        }
    }
}

/// For each pixel, the column of the first white pixel in its row, from the pixel itself to the right.
fn next_white(mask: &Mask) -> Vec<u32> {
    let mut next = vec![NONE; mask.pixels().len()];
    let rows = next.par_chunks_exact_mut(mask.width());
    rows.zip(mask.pixels().par_chunks_exact(mask.width()))
        .for_each(|(next, row)| {
            let mut nearest = NONE;
            for (x, (next, white)) in next.iter_mut().zip(row).enumerate().rev() {
                if *white {
                    nearest = x as u32;
                }
                *next = nearest;
            }
        });
    next
}

/// White where the element, centred on a pixel, meets only white pixels.
pub fn erode(mask: &Mask, element: &Element) -> Mask {
    dilate(&mask.inverted(), element).inverted()
}

/// Dilates and then erodes: gaps into which the element does not fit are filled.
pub fn close(mask: &Mask, element: &Element) -> Mask {
    erode(&dilate(mask, element), element)
}
