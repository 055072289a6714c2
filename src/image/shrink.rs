//! Smaller pictures by the mean of areas.

use image::RgbImage;

/// The picture at a smaller size. Each pixel is the mean of the pixels that it covers, and each pixel of the
/// picture belongs to one of them. The sides of the result are neither 0 nor larger than the picture's.
pub(super) fn mean_of_areas(rgb: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (from_width, from_height) = (rgb.width() as usize, rgb.height() as usize);
    let (to_width, to_height) = (width as usize, height as usize);
    let columns: Vec<usize> = starts(from_width, to_width);
    let rows = starts(from_height, to_height);
    let line = from_width * 3;
    let mut sums = vec![0u32; line];
    let mut small = Vec::with_capacity(to_width * to_height * 3);
    for row in rows.windows(2) {
        sums.fill(0);
        for pixels in rgb.as_raw()[row[0] * line..row[1] * line].chunks_exact(line) {
            for (sum, value) in sums.iter_mut().zip(pixels) {
                // The picture has at most 100 million pixels, so a sum of a column is far from the end.
                *sum = sum.wrapping_add(u32::from(*value));
            }
        }
        for column in columns.windows(2) {
            let area = (column[1] - column[0]) as u64 * (row[1] - row[0]) as u64;
            let mut total = [0u64; 3];
            for pixel in sums[column[0] * 3..column[1] * 3].chunks_exact(3) {
                for (total, sum) in total.iter_mut().zip(pixel) {
                    *total = total.wrapping_add(u64::from(*sum));
                }
            }
            small.extend(total.map(|total| ((total + area / 2) / area) as u8));
        }
    }
    RgbImage::from_raw(width, height, small).unwrap_or_default()
}

/// Where each of `to` parts of `from` places begins, and where the last one ends.
fn starts(from: usize, to: usize) -> Vec<usize> {
    (0..=to).map(|part| (part * from).div_ceil(to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn each_pixel_is_the_mean_of_what_it_covers() {
        // Columns 0 to 2 and 3 to 4 of five, as the second part begins at 2.5.
        let picture = RgbImage::from_fn(5, 2, |x, y| Rgb([x as u8 * 10, y as u8 * 100, 7]));
        let small = mean_of_areas(&picture, 2, 1);
        assert_eq!(small.as_raw(), &[10, 50, 7, 35, 50, 7]);
    }

    #[test]
    fn a_picture_of_one_colour_keeps_it_at_any_size() {
        let picture = RgbImage::from_pixel(97, 61, Rgb([255, 1, 128]));
        for (width, height) in [(97, 61), (96, 1), (1, 60), (32, 20)] {
            let small = mean_of_areas(&picture, width, height);
            assert_eq!(small.dimensions(), (width, height));
            assert!(small.pixels().all(|pixel| pixel.0 == [255, 1, 128]));
        }
    }
}
