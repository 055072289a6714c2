//! Maps of classes: each class has a colour, and the pixels of a picture take the class of the nearest one.

use crate::image::edit::Mask;
use image::RgbImage;

/// The distance of colours above which a pixel is far from the palette, in 8-bit values.
const FAR: i32 = 60;

/// The class of each pixel, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// The index of a class in the palette.
    pub classes: Vec<u8>,
}

impl Labels {
    /// The classes of the pixels of a picture, and the share of pixels that are far from every colour. Of
    /// colours at the same distance, the first counts. An empty palette has only class 0.
    pub fn of_picture(picture: &RgbImage, palette: &[[u8; 3]]) -> (Self, f64) {
        let mut far = 0_usize;
        let classes: Vec<u8> = picture
            .pixels()
            .map(|pixel| {
                let near = (0_u8..).zip(palette);
                let near = near.map(|(class, color)| (squared_distance(pixel.0, *color), class));
                let (distance, class) = near.min().unwrap_or_default();
                far += usize::from(distance > FAR * FAR);
                class
            })
            .collect();
        let share = far as f64 / classes.len().max(1) as f64;
        let labels = Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            classes,
        };
        (labels, share)
    }
}

/// The square of the distance of two colours.
fn squared_distance(a: [u8; 3], b: [u8; 3]) -> i32 {
    let each = a.iter().zip(b);
    each.map(|(a, b)| (i32::from(*a) - i32::from(b)).pow(2))
        .sum()
}

/// The pixels whose right or lower neighbour has another class.
pub fn boundaries(labels: &Labels) -> Mask {
    let (width, height) = (labels.width, labels.height);
    let at = |x: usize, y: usize| labels.classes[y * width + x];
    Mask::from_fn(width, height, |x, y| {
        let own = at(x, y);
        (x + 1 < width && at(x + 1, y) != own) || (y + 1 < height && at(x, y + 1) != own)
    })
}

/// The numbers of pixels by true class and answered class of two maps of one size, row by row, with a row for
/// each true class. Classes beyond the number are left out.
pub fn confusion(truth: &Labels, answer: &Labels, classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes * classes];
    for (truth, answer) in truth.classes.iter().zip(&answer.classes) {
        let (truth, answer) = (usize::from(*truth), usize::from(*answer));
        if truth < classes && answer < classes {
            counts[truth * classes + answer] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const PALETTE: [[u8; 3]; 3] = [[0, 0, 0], [255, 0, 0], [0, 0, 255]];

    fn labels(rows: &[&[u8]]) -> Labels {
        Labels {
            width: rows[0].len(),
            height: rows.len(),
            classes: rows.concat(),
        }
    }

    #[test]
    fn pixels_take_the_nearest_colour_and_far_ones_are_told() {
        let picture = RgbImage::from_fn(4, 1, |x, _| {
            Rgb([[5, 0, 0], [250, 5, 5], [0, 0, 130], [128, 128, 128]][x as usize])
        });
        let (found, far) = Labels::of_picture(&picture, &PALETTE);
        assert_eq!(found.classes, [0, 1, 2, 1]);
        assert_eq!(far, 0.5);
    }

    #[test]
    fn of_two_colours_at_the_same_distance_the_first_counts() {
        let picture = RgbImage::from_pixel(1, 1, Rgb([100, 0, 100]));
        let (found, _) = Labels::of_picture(&picture, &[[110, 0, 100], [90, 0, 100]]);
        assert_eq!(found.classes, [0]);
    }

    #[test]
    fn pixels_are_counted_by_both_classes() {
        let truth = labels(&[&[0, 0, 1, 1], &[0, 0, 1, 1]]);
        let answer = labels(&[&[0, 1, 1, 1], &[0, 0, 1, 0]]);
        assert_eq!(confusion(&truth, &answer, 3), [3, 1, 0, 1, 3, 0, 0, 0, 0]);
    }

    #[test]
    fn a_boundary_is_beside_another_class() {
        let edges = boundaries(&labels(&[&[0, 0, 1], &[0, 2, 1]]));
        assert_eq!(edges.pixels(), [false, true, false, true, true, false]);
    }
}
