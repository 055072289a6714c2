//! Segments by the colours of a palette, and a colour over a part of the picture.

use crate::image::maps::{Labels, boundaries, confusion, match_edges, tolerance};
use crate::image::pillow::{Filter, resize};
use crate::record::evidence::SegmentMeasures;
use image::RgbImage;

/// The smallest change of a colour towards the mark, in 8-bit values.
const MOVED: f64 = 30.0;
/// The grey level from which a pixel of a mask counts as white.
const WHITE: u8 = 128;

/// Compares a drawn map of classes with the true one.
pub(super) fn measure(
    output: &RgbImage,
    truth: &RgbImage,
    palette: &[[u8; 3]],
    radius: Option<f64>,
) -> SegmentMeasures {
    let (width, height) = truth.dimensions();
    let (answer, far) = Labels::of_picture(&nearest(output, width, height), palette);
    let (truth, _) = Labels::of_picture(truth, palette);
    let radius = radius.unwrap_or_else(|| tolerance(width as usize, height as usize));
    SegmentMeasures {
        classes: palette.len(),
        confusion: confusion(&truth, &answer, palette.len()),
        far,
        boundary: match_edges(&boundaries(&answer), &boundaries(&truth), radius),
    }
}

/// A picture at another size, where each pixel has the colour of the nearest old pixel.
fn nearest(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    if picture.dimensions() == (width, height) {
        return picture.clone();
    }
    let place = |at: u32, to: u32, from: u32| {
        let middle = (f64::from(at) + 0.5) * f64::from(from) / f64::from(to);
        (middle as u32).min(from - 1)
    };
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (
            place(x, width, picture.width()),
            place(y, height, picture.height()),
        );
        *picture.get_pixel(x, y)
    })
}

/// The intersection over union of the pixels whose colour moved towards the mark, and of the mask. `None` if
/// there are no such pixels at all.
pub(super) fn marked(
    output: &RgbImage,
    input: &RgbImage,
    mask: &RgbImage,
    mark: [u8; 3],
) -> Option<f64> {
    let (width, height) = input.dimensions();
    let output = if output.dimensions() == (width, height) {
        output.clone()
    } else {
        resize(output, width, height, Filter::Bicubic)
    };
    let distance = |pixel: [u8; 3]| {
        let each = pixel.iter().zip(mark);
        let squares = each.map(|(a, b)| (f64::from(*a) - f64::from(b)).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let (mut both, mut either) = (0_u32, 0_u32);
    for ((before, after), mask) in input.pixels().zip(output.pixels()).zip(mask.pixels()) {
        let moved = distance(before.0) - distance(after.0) > MOVED;
        let wanted = mask.0.iter().all(|value| *value >= WHITE);
        both += u32::from(moved && wanted);
        either += u32::from(moved || wanted);
    }
    (either > 0).then(|| f64::from(both) / f64::from(either))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const PALETTE: [[u8; 3]; 2] = [[0, 0, 0], [255, 0, 0]];

    fn halves(split: u32) -> RgbImage {
        RgbImage::from_fn(8, 4, |x, _| Rgb(PALETTE[usize::from(x >= split)]))
    }

    #[test]
    fn the_exact_map_is_right_at_any_size() {
        let exact = measure(&halves(4), &halves(4), &PALETTE, None);
        assert_eq!(exact.confusion, [16, 0, 0, 16]);
        assert_eq!((exact.far, exact.boundary), (0.0, [4, 4, 4, 4]));
        let large = nearest(&halves(4), 24, 12);
        assert_eq!(measure(&large, &halves(4), &PALETTE, None), exact);
        let blank = measure(&RgbImage::new(8, 4), &halves(4), &PALETTE, None);
        assert_eq!(blank.confusion, [16, 0, 16, 0]);
    }

    #[test]
    fn a_mark_is_where_the_colour_moved_to_it() {
        let input = RgbImage::from_pixel(8, 4, Rgb([128; 3]));
        let mask = RgbImage::from_fn(8, 4, |x, _| Rgb([if x >= 4 { 255 } else { 0 }; 3]));
        let cyan = [0, 255, 255];
        let drawn = |split: u32| {
            RgbImage::from_fn(8, 4, |x, _| Rgb(if x >= split { cyan } else { [128; 3] }))
        };
        assert_eq!(marked(&drawn(4), &input, &mask, cyan), Some(1.0));
        assert_eq!(marked(&drawn(2), &input, &mask, cyan), Some(16.0 / 24.0));
        assert_eq!(marked(&input, &input, &mask, cyan), Some(0.0));
    }
}
