//! Pictures that are padded to a square before they are resized, as in LLaVA.

use image::{Rgb, RgbImage, imageops};

/// The picture in the middle of a square of one colour with the length of its longer side. Half a pixel goes
/// to the right and to the bottom.
pub fn square(image: &RgbImage, background: [u8; 3]) -> RgbImage {
    let (width, height) = image.dimensions();
    let side = width.max(height);
    let mut whole = RgbImage::from_pixel(side, side, Rgb(background));
    let middle = |length: u32| i64::from((side - length) / 2);
    imageops::replace(&mut whole, image, middle(width), middle(height));
    whole
}
