//! Pictures for detectors: mmdetection's test pipeline, version 2.x.

use crate::image::cv::resize_linear;
use crate::model::Result;
use candle_core::{Device, Tensor};
use image::{RgbImage, imageops};

/// Longest and shortest side after resizing, in pixels. Both are upper bounds.
const SCALE: (f64, f64) = (1333.0, 800.0);

/// Sides are padded to multiples of this, in pixels.
const DIVISOR: u32 = 32;

/// The padding value in every channel, before normalisation. Version 3.x pads with zeros after it.
const FILL: u8 = 128;

const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const STD: [f64; 3] = [58.395, 57.12, 57.375];

/// A picture in the form that a detector reads.
#[derive(Debug, Clone)]
pub struct Detectable {
    /// [1, 3, H, W], F32 on the CPU.
    pub pixel_values: Tensor,
    /// The sizes of the picture during processing.
    pub sizes: Sizes,
}

/// The heights and widths of a picture during processing, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The size of the original picture, as (height, width).
    pub original: (usize, usize),
    /// The size after resizing, as (height, width).
    pub resized: (usize, usize),
    /// The size after padding, as (height, width).
    pub padded: (usize, usize),
}

/// Resizes with the same ratio, as OpenCV does for 8-bit pictures, pads at the right and the bottom, and
/// normalises.
///
/// # Errors
/// Fails if memory runs out.
pub fn detectable(image: &RgbImage) -> Result<Detectable> {
    let (width, height) = image.dimensions();
    let (long, short) = (width.max(height).max(1), width.min(height).max(1));
    let scale = (SCALE.0 / f64::from(long)).min(SCALE.1 / f64::from(short));
    let side = |side: u32| ((f64::from(side) * scale + 0.5) as u32).max(1);
    let (new_width, new_height) = (side(width), side(height));
    let resized = resize_linear(image, new_width, new_height);
    padded(&resized, (height as usize, width as usize))
}

/// The same as [`detectable`] for a picture that keeps its size.
///
/// # Errors
/// Fails if memory runs out.
pub fn padded(image: &RgbImage, original: (usize, usize)) -> Result<Detectable> {
    let (width, height) = image.dimensions();
    let up = |side: u32| side.div_ceil(DIVISOR) * DIVISOR;
    let (wide, tall) = (up(width), up(height));
    let mut canvas = RgbImage::from_pixel(wide, tall, image::Rgb([FILL; 3]));
    imageops::replace(&mut canvas, image, 0, 0);
    let normal = |channel: usize, value: u8| {
        (f32::from(value) - MEAN[channel]) * (1.0 / STD[channel]) as f32
    };
    let tables: [[f32; 256]; 3] =
        std::array::from_fn(|c| std::array::from_fn(|v| normal(c, v as u8)));
    let values: Vec<f32> = (tables.iter().enumerate())
        .flat_map(|(c, table)| canvas.pixels().map(move |pixel| table[pixel[c] as usize]))
        .collect();
    let (wide, tall) = (wide as usize, tall as usize);
    Ok(Detectable {
        pixel_values: Tensor::from_vec(values, (1, 3, tall, wide), &Device::Cpu)?,
        sizes: Sizes {
            original,
            resized: (height as usize, width as usize),
            padded: (tall, wide),
        },
    })
}
