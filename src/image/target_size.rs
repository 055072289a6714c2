//! The size of a picture before a network reads it, and the size of a generated picture.

use std::cmp::Ordering;

/// The largest ratio of the sides that Qwen's resizing accepts.
const MAX_ASPECT: u64 = 200;

/// Why there is no suitable size for a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum SizeError {
    /// A side is zero.
    #[error("a picture of {width}x{height} pixels cannot be resized: a side is zero")]
    Empty {
        /// The width, in pixels.
        width: u32,
        /// The height, in pixels.
        height: u32,
    },
    /// The picture is too narrow.
    #[error(
        "a picture of {width}x{height} pixels is too narrow: one side may be at most {MAX_ASPECT} times the other"
    )]
    Narrow {
        /// The width, in pixels.
        width: u32,
        /// The height, in pixels.
        height: u32,
    },
    /// The factor or a limit is not positive.
    #[error(
        "sizes cannot be multiples of {factor} with {min} to {max} pixels: the factor and the limits must be positive"
    )]
    Limits {
        /// The factor of both sides.
        factor: u32,
        /// The smallest number of pixels.
        min: u64,
        /// The largest number of pixels.
        max: u64,
    },
}

/// Qwen-VL's `smart_resize`: the (height, width) nearest to the size of a picture such that the sides are
/// multiples of `factor` and the area is within `min_pixels..=max_pixels`, as far as rounding allows.
///
/// # Errors
/// Fails if a side is zero, if the picture is too narrow, or if the limits are not positive.
pub fn smart_resize(
    height: u32,
    width: u32,
    factor: u32,
    min_pixels: u64,
    max_pixels: u64,
) -> Result<(u32, u32), SizeError> {
    let (long, short) = (u64::from(height.max(width)), u64::from(height.min(width)));
    if short == 0 {
        return Err(SizeError::Empty { width, height });
    }
    // Python compares the quotient, so a ratio of exactly 200 is accepted.
    if long > MAX_ASPECT * short {
        return Err(SizeError::Narrow { width, height });
    }
    if factor == 0 || max_pixels == 0 || min_pixels > max_pixels {
        let (min, max) = (min_pixels, max_pixels);
        return Err(SizeError::Limits { factor, min, max });
    }
    let step = f64::from(factor);
    let side = |steps: f64| ((steps * step) as u32).max(factor);
    let sides = [height, width].map(f64::from);
    let nearest = sides.map(|s| side((s / step).round_ties_even()));
    let area = u64::from(nearest[0]) * u64::from(nearest[1]);
    let pixels = sides[0] * sides[1];
    let [height, width] = if area > max_pixels {
        let beta = (pixels / max_pixels as f64).sqrt();
        sides.map(|s| side((s / beta / step).floor()))
    } else if area < min_pixels {
        let beta = (min_pixels as f64 / pixels).sqrt();
        sides.map(|s| side((s * beta / step).ceil()))
    } else {
        nearest
    };
    Ok((height, width))
}

/// A named set of aspect ratios that a generator offers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub enum Ratios {
    /// Eleven ratios.
    #[serde(rename = "any_11ratio")]
    Eleven,
    /// Nine ratios.
    #[serde(rename = "any_9ratio")]
    Nine,
    /// Seven ratios.
    #[serde(rename = "any_7ratio")]
    Seven,
    /// Five ratios.
    #[serde(rename = "any_5ratio")]
    Five,
    /// Only 1 : 1.
    #[serde(rename = "any_1ratio")]
    One,
}

/// Ratios (width, height), each with the smallest named set that contains it. The sets are nested, and keep
/// this order.
const RATIOS: [(u32, u32, u32); 11] = [
    (16, 9, 5),
    (9, 16, 5),
    (7, 5, 11),
    (5, 7, 11),
    (5, 4, 9),
    (4, 5, 9),
    (4, 3, 5),
    (3, 4, 5),
    (3, 2, 7),
    (2, 3, 7),
    (1, 1, 1),
];

impl Ratios {
    fn len(self) -> u32 {
        match self {
            Self::Eleven => 11,
            Self::Nine => 9,
            Self::Seven => 7,
            Self::Five => 5,
            Self::One => 1,
        }
    }

    /// The ratios of the set, as (width, height).
    pub fn list(self) -> impl Iterator<Item = (u32, u32)> {
        let members = RATIOS.iter().filter(move |ratio| ratio.2 <= self.len());
        members.map(|&(width, height, _)| (width, height))
    }

    /// The (height, width) of about `anchor` pixels whose ratio is nearest to `width` : `height`. The sides
    /// are multiples of 32. The first ratio wins a tie.
    ///
    /// # Errors
    /// Fails if a side is zero.
    pub fn size(self, width: u32, height: u32, anchor: u64) -> Result<(u32, u32), SizeError> {
        if width == 0 || height == 0 {
            return Err(SizeError::Empty { width, height });
        }
        let wanted = f64::from(width) / f64::from(height);
        let distance = |&(w, h): &(u32, u32)| (f64::from(w) / f64::from(h) - wanted).abs();
        let best = self
            .list()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let (width, height) = best.unwrap_or((1, 1));
        let (width, height) = (width * 32, height * 32);
        let base = u64::from(width) * u64::from(height);
        let scale = (anchor as f64 / base as f64).sqrt().round_ties_even();
        // For a tiny anchor, this is the smallest size of the set.
        let scale = (scale as u32).max(1);
        Ok((height.saturating_mul(scale), width.saturating_mul(scale)))
    }
}

/// `any_11ratio`: the (height, width) for a picture of `width` × `height`.
///
/// # Errors
/// Fails if a side is zero.
pub fn any_11ratio(width: u32, height: u32, anchor: u64) -> Result<(u32, u32), SizeError> {
    Ratios::Eleven.size(width, height, anchor)
}

/// GEdit-Bench's size of an input picture (`generate_image_example.py` of Step1X-Edit): a (width, height) of
/// about 512 × 512 pixels, both multiples of 32. If the area does not match, the width changes by one step up
/// or down, and the height stays.
///
/// # Errors
/// Fails if a side is zero, or becomes zero since the picture is too narrow.
pub fn gedit_size(width: u32, height: u32) -> Result<(u32, u32), SizeError> {
    const AREA: u64 = 512 * 512;
    const STEP: u32 = 32;
    if width == 0 || height == 0 {
        return Err(SizeError::Empty { width, height });
    }
    let ratio = f64::from(width) / f64::from(height);
    let wide = (AREA as f64 * ratio).sqrt();
    let side = |length: f64| (length / f64::from(STEP)).round_ties_even() as u32 * STEP;
    let (new_width, new_height) = (side(wide), side(wide / ratio));
    let new_width = match (u64::from(new_width) * u64::from(new_height)).cmp(&AREA) {
        Ordering::Less => new_width + STEP,
        Ordering::Equal => new_width,
        Ordering::Greater => new_width - STEP,
    };
    if new_width == 0 || new_height == 0 {
        Err(SizeError::Narrow { width, height })
    } else {
        Ok((new_width, new_height))
    }
}

/// The sizes (width, height) for which FLUX.1-Kontext was trained, without their transposes.
const KONTEXT: [(u32, u32); 9] = [
    (672, 1568),
    (688, 1504),
    (720, 1456),
    (752, 1392),
    (800, 1328),
    (832, 1248),
    (880, 1184),
    (944, 1104),
    (1024, 1024),
];

/// FLUX.1-Kontext's size of a reference picture: the (width, height) of its seventeen whose ratio is nearest.
/// The smaller width wins a tie.
///
/// # Errors
/// Fails if a side is zero.
pub fn kontext_size(width: u32, height: u32) -> Result<(u32, u32), SizeError> {
    if width == 0 || height == 0 {
        return Err(SizeError::Empty { width, height });
    }
    let ratio = |(w, h): (u32, u32)| f64::from(w) / f64::from(h);
    let wanted = ratio((width, height));
    let both = KONTEXT.iter().flat_map(|&(w, h)| [(w, h), (h, w)]);
    let nearest = both.min_by(|&a, &b| {
        let distance = |size| (ratio(size) - wanted).abs();
        distance(a)
            .total_cmp(&distance(b))
            .then_with(|| a.0.cmp(&b.0))
    });
    Ok(nearest.unwrap_or((1024, 1024)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_and_empty_pictures_are_refused() {
        let resize = |height, width| smart_resize(height, width, 28, 200_704, 200_704);
        assert!(resize(10, 2000).is_ok());
        assert!(matches!(resize(10, 2001), Err(SizeError::Narrow { .. })));
        assert!(matches!(resize(0, 10), Err(SizeError::Empty { .. })));
        assert_eq!(resize(1100, 2000), Ok((308, 588)));
    }

    // Computed by hand: 2:1 gives 724.08 × 362.04, rounded 736 × 352, less than 512², so one step wider, and
    // 1:2 the other way round 352 × 736, so 384; 3:2 gives 627.07 × 418.05, rounded 640 × 416, more than
    // 512², so one step less; 81:49 gives 658.3 × 398.2, rounded 672 × 384.
    #[test]
    fn gedit_goes_over_or_under_the_area_by_the_width_alone() {
        for (size, expected) in [
            ((512, 512), (512, 512)),
            ((77, 77), (512, 512)),
            ((2000, 1000), (768, 352)),
            ((1000, 2000), (384, 736)),
            ((600, 400), (608, 416)),
            ((810, 490), (704, 384)),
        ] {
            assert_eq!(gedit_size(size.0, size.1), Ok(expected), "{size:?}");
        }
        assert!(matches!(gedit_size(0, 5), Err(SizeError::Empty { .. })));
        assert!(matches!(gedit_size(9000, 5), Err(SizeError::Narrow { .. })));
    }

    #[test]
    fn kontext_keeps_the_nearest_ratio() {
        for (size, expected) in [
            ((512, 512), (1024, 1024)),
            ((1500, 1000), (1248, 832)),
            ((1000, 1500), (832, 1248)),
            ((9000, 1), (1568, 672)),
        ] {
            assert_eq!(kontext_size(size.0, size.1), Ok(expected), "{size:?}");
        }
        assert!(kontext_size(0, 5).is_err());
    }

    #[test]
    fn sets_nest() {
        let sizes = [
            Ratios::Eleven,
            Ratios::Nine,
            Ratios::Seven,
            Ratios::Five,
            Ratios::One,
        ];
        assert_eq!(sizes.map(|set| set.list().count()), [11, 9, 7, 5, 1]);
        assert_eq!(any_11ratio(1920, 1080, 1 << 20), Ok((864, 1536)));
        assert_eq!(Ratios::Nine.size(1400, 1000, 1 << 20), Ok((864, 1152)));
        assert_eq!(Ratios::One.size(1920, 1080, 1 << 20), Ok((1024, 1024)));
    }
}
