//! Finds where a picture was edited, with the mask procedure of UniWorld-V1 (arXiv 2506.03147,
//! `univa/utils/get_mask.py`).

use super::mask::Mask;
use crate::image::cv::{Element, close};
use image::{GrayImage, Luma, RgbImage};
use imageproc::region_labelling::{Connectivity, connected_components};
use serde::{Deserialize, Serialize};

/// Side of the closing's ellipse for a picture of 448 × 448 pixels.
const KERNEL: usize = 5;
/// Side of the pictures for which [`KERNEL`] is meant.
const KERNEL_SIDE: f64 = 448.0;

/// The constants of the procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeSettings {
    /// Grey levels of the difference's luma from which a pixel counts as changed.
    pub threshold: u8,
    /// Side of the ellipse that closes gaps, in pixels. Without it, 5 for a picture of 448 × 448 pixels and
    /// in proportion for others, but at least 3.
    pub kernel: Option<usize>,
    /// The smallest share of all changed pixels that a connected part must have to be kept.
    pub component_share: f64,
    /// Side of a cell of the coarse mask, in pixels.
    pub cell: usize,
}

impl Default for ChangeSettings {
    fn default() -> Self {
        Self {
            threshold: 18,
            kernel: None,
            component_share: 0.3,
            cell: 8,
        }
    }
}

impl ChangeSettings {
    /// The error in a setting, if there is one.
    pub fn mistake(&self) -> Option<String> {
        if self.threshold == 0 {
            return Some("`threshold` is 0; it must be 1 to 255 grey levels".into());
        }
        if let Some(kernel) = self.kernel.filter(|kernel| !(1..=255).contains(kernel)) {
            return Some(format!("`kernel` is {kernel}; it must be 1 to 255 pixels"));
        }
        if !(0.0..=1.0).contains(&self.component_share) {
            let share = self.component_share;
            return Some(format!("`component_share` is {share}; it must be 0 to 1"));
        }
        (self.cell == 0).then(|| "`cell` is 0; it must be 1 pixel or more".into())
    }

    /// The ellipse that closes gaps in a change mask of pictures of this size.
    pub fn element(&self, image: &RgbImage) -> Element {
        let side = (f64::from(image.width()) * f64::from(image.height())).sqrt();
        let scaled = ((KERNEL as f64 / KERNEL_SIDE * side) as usize).max(3);
        Element::ellipse(self.kernel.unwrap_or(scaled))
    }
}

/// What changed between two pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The changed pixels, with gaps closed.
    pub all: Mask,
    /// The large connected parts of the changed pixels.
    pub main: Mask,
    /// Number of connected parts of `all`, where diagonals connect.
    pub components: usize,
}

impl Change {
    /// Compares two pictures of the same size. Pixels beyond the smaller picture do not count.
    pub fn between(a: &RgbImage, b: &RgbImage, settings: &ChangeSettings) -> Self {
        let differing = differing(a, b, settings.threshold);
        let all = close(&differing, &settings.element(a));
        let (main, components) = large_parts(&all, settings.component_share);
        Self {
            all,
            main,
            components,
        }
    }
}

/// The pixels whose difference has at least this luma.
fn differing(a: &RgbImage, b: &RgbImage, threshold: u8) -> Mask {
    let white = a.pixels().zip(b.pixels()).map(|(a, b)| {
        let [red, green, blue] = [0, 1, 2].map(|c| u32::from(a.0[c].abs_diff(b.0[c])));
        // The conversion of Pillow from RGB to L.
        (19_595 * red + 38_470 * green + 7_471 * blue + 32_768) >> 16 >= u32::from(threshold)
    });
    let mut white: Vec<bool> = white.collect();
    let (width, height) = (a.width() as usize, a.height() as usize);
    white.resize(width * height, false);
    Mask::from_pixels(width, height, white).unwrap_or_else(|| Mask::from_fn(0, 0, |_, _| false))
}

/// The connected parts with at least `share` of all white pixels, and the number of all parts.
fn large_parts(mask: &Mask, share: f64) -> (Mask, usize) {
    let shades = mask.pixels().iter().map(|white| u8::from(*white)).collect();
    let grey = GrayImage::from_raw(mask.width() as u32, mask.height() as u32, shades);
    let Some(grey) = grey.filter(|grey| !grey.is_empty()) else {
        return (mask.clone(), 0);
    };
    let labels = connected_components(&grey, Connectivity::Eight, Luma([0]));
    let mut sizes = vec![0usize; 1];
    for label in labels.iter() {
        let label = *label as usize;
        if label >= sizes.len() {
            sizes.resize(label + 1, 0);
        }
        sizes[label] += 1;
    }
    let white: usize = sizes[1..].iter().sum();
    let large = |label: &u32| {
        let label = *label as usize;
        label > 0 && sizes[label] as f64 >= share * white as f64
    };
    let kept: Vec<bool> = labels.iter().map(large).collect();
    let kept = Mask::from_pixels(mask.width(), mask.height(), kept);
    (kept.unwrap_or_else(|| mask.clone()), sizes.len() - 1)
}

/// The mask in cells of `side` × `side` pixels. A cell is white if any of its pixels is. Cells that the right
/// or the bottom border cuts are left out.
pub fn pool(mask: &Mask, side: usize) -> Mask {
    let side = side.max(1);
    let (columns, rows) = (mask.width() / side, mask.height() / side);
    let mut white = vec![false; columns * rows];
    for (y, row) in mask.rows().take(rows * side).enumerate() {
        for (x, pixel) in row[..columns * side].iter().enumerate() {
            white[y / side * columns + x / side] |= *pixel;
        }
    }
    Mask::from_pixels(columns, rows, white).unwrap_or_else(|| mask.clone())
}

/// The weight of the edited region in training: log2(cells / white cells) + 1, over the cells, which are
/// closed again. It is 1 if all cells are white, and `None` if none is.
pub fn log_weight(cells: &Mask) -> Option<f64> {
    let share = close(cells, &Element::ellipse(KERNEL)).share();
    (share > 0.0).then(|| 1.0 - share.log2())
}
