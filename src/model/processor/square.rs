//! Pictures that are made square before they are scaled, as LLaVA takes them.

use image::{Rgb, RgbImage, imageops};

/// The picture in the middle of a square of one colour, as large as its longer side; half a pixel falls to the right and
/// below.
pub fn square(image: &RgbImage, background: [u8; 3]) -> RgbImage {
    let (width, height) = image.dimensions();
    let side = width.max(height);
    let mut whole = RgbImage::from_pixel(side, side, Rgb(background));
    let middle = |length: u32| i64::from((side - length) / 2);
    imageops::replace(&mut whole, image, middle(width), middle(height));
    whole
}
