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

/// The number of pixels by true class and by answered class, of one picture or of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// Row by row: a row for each true class.
    counts: Vec<u64>,
}

impl Confusion {
    /// Without pixels.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes * classes],
        }
    }

    /// The counts row by row, with a row for each true class. `None` if there are not as many as there should
    /// be.
    pub fn from_counts(classes: usize, counts: Vec<u64>) -> Option<Self> {
        (counts.len() == classes * classes).then_some(Self { classes, counts })
    }

    /// The counts of two maps of one size. Classes beyond the number are left out.
    pub fn between(truth: &Labels, answer: &Labels, classes: usize) -> Self {
        let mut confusion = Self::new(classes);
        for (truth, answer) in truth.classes.iter().zip(&answer.classes) {
            let (truth, answer) = (usize::from(*truth), usize::from(*answer));
            if truth < classes && answer < classes {
                confusion.counts[truth * classes + answer] += 1;
            }
        }
        confusion
    }

    /// The counts, row by row.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Adds the pixels of another picture with the same classes.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
    }

    /// The intersection over union of a class. `None` if neither map has it.
    pub fn iou(&self, class: usize) -> Option<f64> {
        let at = |truth: usize, answer: usize| self.counts[truth * self.classes + answer];
        let truth: u64 = (0..self.classes).map(|other| at(class, other)).sum();
        let answer: u64 = (0..self.classes).map(|other| at(other, class)).sum();
        let both = at(class, class);
        let union = truth + answer - both;
        (union > 0).then(|| both as f64 / union as f64)
    }

    /// The mean intersection over union of the classes that one of the maps has. `None` without pixels.
    pub fn mean_iou(&self) -> Option<f64> {
        let each: Vec<f64> = (0..self.classes)
            .filter_map(|class| self.iou(class))
            .collect();
        (!each.is_empty()).then(|| each.iter().sum::<f64>() / each.len() as f64)
    }

    /// The share of pixels with the right class. `None` without pixels.
    pub fn accuracy(&self) -> Option<f64> {
        let all: u64 = self.counts.iter().sum();
        let right: u64 = (0..self.classes)
            .map(|class| self.counts[class * self.classes + class])
            .sum();
        (all > 0).then(|| right as f64 / all as f64)
    }
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

    // The same numbers as torchmetrics' MulticlassJaccardIndex: tests/golden/probes/make.py, `segments`.
    #[test]
    fn the_mean_is_over_the_classes_that_occur() {
        let truth = labels(&[&[0, 0, 1, 1], &[0, 0, 1, 1]]);
        let answer = labels(&[&[0, 1, 1, 1], &[0, 0, 1, 0]]);
        let found = Confusion::between(&truth, &answer, 3);
        assert_eq!(found.counts(), [3, 1, 0, 1, 3, 0, 0, 0, 0]);
        assert_eq!(found.iou(0), Some(0.6));
        assert_eq!(found.iou(2), None);
        assert_eq!(found.mean_iou(), Some(0.6));
        assert_eq!(found.accuracy(), Some(0.75));
    }

    #[test]
    fn sums_over_pictures_are_not_means_of_pictures() {
        let one = Confusion::between(&labels(&[&[1, 0]]), &labels(&[&[1, 0]]), 2);
        let other = Confusion::between(&labels(&[&[1, 1, 1, 0]]), &labels(&[&[0, 0, 0, 0]]), 2);
        let mut both = one.clone();
        both.add(&other);
        // Class 0: 2 of 5; class 1: 1 of 4.
        assert!((both.mean_iou().unwrap() - 0.325).abs() < 1e-12);
        assert_eq!(
            Confusion::from_counts(2, both.counts().to_vec()),
            Some(both)
        );
        assert_eq!(Confusion::new(2).mean_iou(), None);
    }

    #[test]
    fn a_boundary_is_beside_another_class() {
        let edges = boundaries(&labels(&[&[0, 0, 1], &[0, 2, 1]]));
        assert_eq!(edges.pixels(), [false, true, false, true, true, false]);
    }
}
