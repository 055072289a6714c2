//! The motion of the whole picture, which is no drift: a scale about the centre and a translation.

use super::boxes::distance;

/// The smallest distance of two lines whose distances are compared, as a share of the diagonal.
const APART: f64 = 0.2;
/// The fewest lines from which a scale is estimated.
const FEWEST: usize = 3;

/// Where a point of the input is in the output, if everything moved together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Motion {
    /// The factor about the centre of the picture.
    pub scale: f64,
    /// In pixels, to the right and downwards.
    pub translation: [f64; 2],
    centre: [f64; 2],
}

impl Motion {
    /// The motion of pairs of points, before and after. `size` is that of the picture, in pixels.
    pub(super) fn of(pairs: &[([f64; 2], [f64; 2])], size: [f64; 2]) -> Self {
        let centre = size.map(|side| side / 2.0);
        let apart = APART * size[0].hypot(size[1]);
        let mut ratios = Vec::new();
        for (place, (a, b)) in pairs.iter().enumerate() {
            for (c, d) in &pairs[place + 1..] {
                let before = distance(*a, *c);
                if before >= apart && before > 0.0 {
                    ratios.push(distance(*b, *d) / before);
                }
            }
        }
        let scale = if pairs.len() < FEWEST {
            1.0
        } else {
            median(&mut ratios).unwrap_or(1.0)
        };
        let offset = |axis: usize| {
            let mut offsets: Vec<f64> = pairs
                .iter()
                .map(|(before, after)| {
                    after[axis] - centre[axis] - scale * (before[axis] - centre[axis])
                })
                .collect();
            median(&mut offsets).unwrap_or(0.0)
        };
        Self {
            scale,
            translation: [offset(0), offset(1)],
            centre,
        }
    }

    /// Where a point is after the motion.
    pub(super) fn applied(&self, point: [f64; 2]) -> [f64; 2] {
        std::array::from_fn(|axis| {
            let from_centre = point[axis] - self.centre[axis];
            self.centre[axis] + self.scale * from_centre + self.translation[axis]
        })
    }
}

/// The median. `None` for no values.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// A quantile, with a straight line between two values.
pub(super) fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let position = share * values.len().checked_sub(1)? as f64;
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    Some(values[low] + position.fract() * (values[high] - values[low]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORNERS: [[f64; 2]; 6] = [
        [100.0, 100.0],
        [900.0, 120.0],
        [80.0, 800.0],
        [700.0, 500.0],
        [500.0, 900.0],
        [300.0, 400.0],
    ];

    fn motion(change: impl Fn([f64; 2]) -> [f64; 2]) -> Motion {
        let pairs: Vec<_> = CORNERS
            .iter()
            .map(|point| (*point, change(*point)))
            .collect();
        Motion::of(&pairs, [1024.0, 1024.0])
    }

    #[test]
    fn a_shift_is_a_translation() {
        let found = motion(|[x, y]| [x + 4.0, y - 1.0]);
        assert!((found.scale - 1.0).abs() < 1e-12);
        assert_eq!(found.translation.map(f64::round), [4.0, -1.0]);
    }

    #[test]
    fn an_enlargement_about_the_centre_has_no_translation() {
        let found = motion(|point| point.map(|at| 512.0 + 1.05 * (at - 512.0)));
        assert!((found.scale - 1.05).abs() < 1e-9);
        assert!(found.translation.iter().all(|offset| offset.abs() < 1e-9));
        let [x, y] = found.applied([100.0, 512.0]);
        assert!((x - 79.4).abs() < 1e-9 && (y - 512.0).abs() < 1e-9);
    }

    #[test]
    fn one_line_that_drifts_does_not_move_the_picture() {
        let found = motion(|point| {
            if point == CORNERS[1] {
                [400.0, 400.0]
            } else {
                point
            }
        });
        assert_eq!((found.scale, found.translation), (1.0, [0.0; 2]));
        let two = Motion::of(
            &[([0.0, 0.0], [2.0, 0.0]), ([900.0, 0.0], [950.0, 0.0])],
            [1000.0; 2],
        );
        assert_eq!((two.scale, two.translation), (1.0, [26.0, 0.0]));
    }

    #[test]
    fn medians_lie_between_the_middle_values() {
        assert_eq!(median(&mut [3.0, 1.0]), Some(2.0));
        assert_eq!(quantile(&mut [0.0, 10.0, 20.0], 0.75), Some(15.0));
        assert_eq!(median(&mut []), None);
    }
}
