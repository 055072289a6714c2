//! The adaptive weighting of edited regions of UniWorld-V1 (arXiv 2506.03147, section 3.3; `get_mask.py` of
//! its training script): the loss counts more where a target differs from its references, and the smaller the
//! region, the more it counts.

use image::{GrayImage, Luma, RgbImage};
use imageproc::definitions::Image;
use imageproc::morphology::{Mask, grayscale_close};
use imageproc::region_labelling::{Connectivity, connected_components};
use serde::{Deserialize, Serialize};

const BLACK: Luma<u8> = Luma([0]);
const WHITE: Luma<u8> = Luma([255]);
/// Largest side of a kernel.
const WIDEST: u32 = 255;

/// How the weight of the region follows from x, which is the number of all pixels over that of the pixels in
/// the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightFunction {
    /// log2(x) + 1, which the paper chose.
    #[default]
    Log,
    /// 2^(√x − 1).
    Exp,
    /// 1 everywhere.
    None,
}

impl WeightFunction {
    /// The weight, rounded to six decimals as the training script does.
    fn weight(self, x: f64) -> f64 {
        let weight = match self {
            Self::Log => x.log2() + 1.0,
            Self::Exp => (x.sqrt() - 1.0).exp2(),
            Self::None => 1.0,
        };
        (weight * 1e6).round() / 1e6
    }
}

/// The constants of the procedure; the defaults are those of the training script.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegionSettings {
    /// Least luma of the absolute difference of a pixel that changed.
    pub threshold: u8,
    /// Side of the ellipse that closes gaps at the pictures' size, in pixels: odd.
    pub kernel: u32,
    /// Side of the ellipse that closes gaps after pooling, in cells of the grid: odd.
    pub pooled_kernel: u32,
    /// Least area of a connected part, as a share of all that changed.
    pub component: f64,
    /// Least area of the region, as a share of the picture: a smaller one is taken for noise.
    pub smallest: f64,
    /// Pixels of a cell's side: the factor of the autoencoder.
    pub pool: u32,
    /// How the weight follows from the size of the region.
    pub function: WeightFunction,
}

impl Default for RegionSettings {
    fn default() -> Self {
        Self {
            threshold: 18,
            kernel: 5,
            pooled_kernel: 5,
            component: 0.3,
            smallest: 0.001,
            pool: 8,
            function: WeightFunction::Log,
        }
    }
}

/// Why a sample has no weights.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RegionError {
    /// The kernel has no size that fits.
    #[error("a kernel of {kernel} pixels: odd sides from 1 to {WIDEST} have a middle")]
    Kernel {
        /// The side that the settings ask for, in pixels.
        kernel: u32,
    },
    /// The picture does not divide into cells.
    #[error("pictures of {width} × {height} pixels have no cell of {pool} × {pool}")]
    Grid {
        /// The width of the pictures, in pixels.
        width: u32,
        /// The height of the pictures, in pixels.
        height: u32,
        /// The side of a cell, in pixels.
        pool: u32,
    },
    /// Reference and target have different sizes.
    #[error(
        "a reference is {reference:?} pixels large and the target {target:?}: resize one of them"
    )]
    Size {
        /// Width and height of the reference, in pixels.
        reference: (u32, u32),
        /// Width and height of the target, in pixels.
        target: (u32, u32),
    },
    /// Reference and target are the same.
    #[error("no part of the target differs from all of its references")]
    Nothing,
    /// The region is smaller than the settings allow.
    #[error("the edited region is {share} of the picture, less than {smallest}")]
    TooSmall {
        /// Its share of the picture.
        share: f64,
        /// The least share that the settings allow.
        smallest: f64,
    },
}

/// The region of a sample and the weights that follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// The edited region at the pictures' size, 255 inside.
    pub mask: GrayImage,
    /// The region on the grid of cells, 255 inside.
    pub pooled: GrayImage,
    /// The weight inside; outside it is 1.
    pub weight: f64,
}

impl Region {
    /// Compares a target with the references that it was edited from. With no reference, or with a single one
    /// that it equals, all of the picture is the region.
    ///
    /// # Errors
    /// Fails if sizes differ, or a constant does not fit them. Fails also if the region is empty or too
    /// small; training then skips the sample.
    pub fn new(
        target: &RgbImage,
        references: &[RgbImage],
        settings: &RegionSettings,
    ) -> Result<Self, RegionError> {
        let (width, height) = target.dimensions();
        let pool = settings.pool;
        if pool == 0 || width < pool || height < pool {
            return Err(RegionError::Grid {
                width,
                height,
                pool,
            });
        }
        let kernel = ellipse(settings.kernel)?;
        let mut mask = GrayImage::from_pixel(width, height, WHITE);
        if settings.function != WeightFunction::None {
            for reference in references {
                let changed = changed(target, reference, &kernel, settings)?;
                for (kept, changed) in mask.pixels_mut().zip(changed.pixels()) {
                    kept.0[0] &= changed.0[0];
                }
            }
            let share = white(&mask) as f64 / f64::from(width * height);
            if share == 0.0 && references.len() == 1 {
                // The target is the reference itself: the model should return the picture as it is.
                mask = GrayImage::from_pixel(width, height, WHITE);
            } else if share == 0.0 {
                return Err(RegionError::Nothing);
            } else if share < settings.smallest {
                let smallest = settings.smallest;
                return Err(RegionError::TooSmall { share, smallest });
            }
        }
        let pooled = grayscale_close(&pooled(&mask, pool), &ellipse(settings.pooled_kernel)?);
        let inside = white(&pooled);
        if inside == 0 {
            // The whole region is in rows and columns that fill no cell.
            return Err(RegionError::Nothing);
        }
        let x = f64::from(pooled.width() * pooled.height()) / inside as f64;
        Ok(Self {
            weight: settings.function.weight(x),
            mask,
            pooled,
        })
    }

    /// The weights on a grid of `width` × `height` latents, row by row: the cells themselves, or the nearest
    /// ones of another grid, as torch's `interpolate` takes them.
    pub fn weights(&self, width: u32, height: u32) -> Vec<f32> {
        let nearest = |to: u32, from: u32| {
            let scale = from as f32 / to as f32;
            (0..to).map(move |at| ((at as f32 * scale) as u32).min(from - 1))
        };
        let columns: Vec<u32> = nearest(width, self.pooled.width()).collect();
        let rows = nearest(height, self.pooled.height());
        let cells = rows.flat_map(|y| columns.iter().map(move |x| self.pooled.get_pixel(*x, y)));
        let weight = |cell: &Luma<u8>| {
            if *cell == BLACK {
                1.0
            } else {
                self.weight as f32
            }
        };
        cells.map(weight).collect()
    }
}

/// The weights of the loss on a grid of `width` × `height` latents, row by row.
///
/// # Errors
/// Fails when [`Region::new`] fails.
pub fn weights(
    target: &RgbImage,
    references: &[RgbImage],
    [width, height]: [u32; 2],
    settings: &RegionSettings,
) -> Result<Vec<f32>, RegionError> {
    Ok(Region::new(target, references, settings)?.weights(width, height))
}

/// Where a target differs from one reference: the large connected parts, gaps closed.
fn changed(
    target: &RgbImage,
    reference: &RgbImage,
    kernel: &Mask,
    settings: &RegionSettings,
) -> Result<GrayImage, RegionError> {
    if reference.dimensions() != target.dimensions() {
        return Err(RegionError::Size {
            reference: reference.dimensions(),
            target: target.dimensions(),
        });
    }
    let mut mask = GrayImage::new(target.width(), target.height());
    let pixels = target.pixels().zip(reference.pixels());
    for (mark, (a, b)) in mask.pixels_mut().zip(pixels) {
        let difference = std::array::from_fn(|channel| a[channel].abs_diff(b[channel]));
        if luma(difference) >= settings.threshold {
            *mark = WHITE;
        }
    }
    let mut mask = grayscale_close(&mask, kernel);
    keep_large_parts(&mut mask, settings.component);
    Ok(mask)
}

/// The luma of a colour, as Pillow's mode `L` has it.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000;
    (sum >> 16) as u8
}

/// Blackens the connected parts, corners included, whose area is below a share of all white.
fn keep_large_parts(mask: &mut GrayImage, share: f64) {
    let labels: Image<Luma<u32>> = connected_components(mask, Connectivity::Eight, BLACK);
    let parts = labels.pixels().map(|label| label[0]).max().unwrap_or(0);
    let mut areas = vec![0_u64; parts as usize + 1];
    for label in labels.pixels() {
        areas[label[0] as usize] += 1;
    }
    let least = share * areas[1..].iter().sum::<u64>() as f64;
    for (pixel, label) in mask.pixels_mut().zip(labels.pixels()) {
        if (areas[label[0] as usize] as f64) < least {
            *pixel = BLACK;
        }
    }
}

/// White cells are those with a white pixel; pixels at the right and lower edges that fill no cell are
/// dropped.
fn pooled(mask: &GrayImage, pool: u32) -> GrayImage {
    let mut cells = GrayImage::new(mask.width() / pool, mask.height() / pool);
    for (x, y, pixel) in mask.enumerate_pixels() {
        if let Some(cell) = cells.get_pixel_mut_checked(x / pool, y / pool) {
            cell.0[0] |= pixel.0[0];
        }
    }
    cells
}

fn white(mask: &GrayImage) -> usize {
    mask.pixels().filter(|pixel| **pixel != BLACK).count()
}

/// OpenCV's `MORPH_ELLIPSE` of an odd side; what a picture lacks beyond its edges neither spreads nor erodes,
/// as with OpenCV's default border.
fn ellipse(side: u32) -> Result<Mask, RegionError> {
    if side.is_multiple_of(2) || side > WIDEST {
        return Err(RegionError::Kernel { kernel: side });
    }
    let radius = side / 2;
    let r = f64::from(radius);
    let inside = |x: u32, y: u32| {
        let (dx, dy) = (f64::from(x) - r, f64::from(y) - r);
        dx.abs() <= (r * r - dy * dy).sqrt().round_ties_even()
    };
    let picture = GrayImage::from_fn(side, side, |x, y| if inside(x, y) { WHITE } else { BLACK });
    Ok(Mask::from_image(&picture, radius as u8, radius as u8))
}
