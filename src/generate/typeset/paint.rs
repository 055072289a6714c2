//! Draws the pixels of a plan, and degrades them.
//!
//! Ink is drawn as coverage, from 0 for paper to 255 for full ink. The coverage is blurred and turned, and is
//! coloured last.

use super::compose::{Board, Plan, Text};
use super::fonts::Fonts;
use super::random::SplitMix64;
use super::settings::TypesetSettings;
use cosmic_text::{SwashContent, SwashImage};
use image::{DynamicImage, GrayImage, Luma, RgbImage};
use imageproc::geometric_transformations::{Border, Interpolation, rotate_about_center};

/// The number of glyph pictures that are kept. Sizes vary from page to page, so old pictures are seldom used
/// again.
const MOST_GLYPHS: usize = 8192;

/// The ink coverage of a page with this plan.
pub(super) fn paint(
    plan: &Plan,
    texts: &[Text],
    fonts: &mut Fonts,
    settings: &TypesetSettings,
) -> GrayImage {
    let mut page = GrayImage::new(settings.width, settings.height);
    for board in &plan.boards {
        draw_board(&mut page, board);
    }
    if fonts.glyphs.image_cache.len() > MOST_GLYPHS {
        fonts.glyphs.image_cache.clear();
    }
    for placed in &plan.lines {
        let paragraph = &texts[placed.text][placed.paragraph];
        for glyph in placed.line.glyphs.clone() {
            let origin = (placed.x, placed.baseline);
            let physical = paragraph.physical(glyph, &placed.line, placed.size, origin);
            let picture = fonts
                .glyphs
                .get_image(&mut fonts.system, physical.cache_key);
            if let Some(picture) = picture {
                draw_glyph(
                    &mut page,
                    picture,
                    (physical.x, physical.y),
                    placed.inverted,
                );
            }
        }
    }
    page
}

fn draw_board(page: &mut GrayImage, board: &Board) {
    let area = board.area;
    let (left, top) = (area.x.round(), area.y.round());
    let (right, bottom) = (
        (area.x + area.width).round(),
        (area.y + area.height).round(),
    );
    match board.frame {
        None => fill_rectangle(page, left, top, right, bottom),
        Some(thickness) => {
            let thickness = thickness.round();
            fill_rectangle(page, left, top, right, top + thickness);
            fill_rectangle(page, left, bottom - thickness, right, bottom);
            fill_rectangle(page, left, top, left + thickness, bottom);
            fill_rectangle(page, right - thickness, top, right, bottom);
        }
    }
}

fn fill_rectangle(page: &mut GrayImage, left: f32, top: f32, right: f32, bottom: f32) {
    let (width, height) = page.dimensions();
    for y in (top.max(0.0) as u32)..(bottom.max(0.0) as u32).min(height) {
        for x in (left.max(0.0) as u32)..(right.max(0.0) as u32).min(width) {
            page.put_pixel(x, y, Luma([255]));
        }
    }
}

fn draw_glyph(page: &mut GrayImage, picture: &SwashImage, (x, y): (i32, i32), inverted: bool) {
    let place = picture.placement;
    let (left, top) = (x + place.left, y - place.top);
    let (step, alpha_at) = match picture.content {
        SwashContent::Mask => (1, 0),
        SwashContent::Color | SwashContent::SubpixelMask => (4, 3),
    };
    let (page_width, page_height) = (page.width() as i32, page.height() as i32);
    for (row, pixels) in picture
        .data
        .chunks_exact((place.width as usize * step).max(1))
        .enumerate()
    {
        let y = top + row as i32;
        if y < 0 || y >= page_height {
            continue;
        }
        for (column, pixel) in pixels.chunks_exact(step).enumerate() {
            let x = left + column as i32;
            let alpha = u16::from(pixel[alpha_at]);
            if alpha == 0 || x < 0 || x >= page_width {
                continue;
            }
            let Luma([ink]) = page.get_pixel_mut(x as u32, y as u32);
            // The paper that this glyph does not cover, or the ink that remains.
            let rest = |under: u16| (under * (255 - alpha) + 127) / 255;
            *ink = if inverted {
                rest(u16::from(*ink)) as u8
            } else {
                255 - rest(255 - u16::from(*ink)) as u8
            };
        }
    }
}

/// Turns and blurs a page, colours it, and adds noise.
pub(super) fn finish(
    mut page: GrayImage,
    settings: &TypesetSettings,
    [ink, paper]: [[u8; 3]; 2],
    seed: u64,
) -> RgbImage {
    if settings.rotate != 0.0 {
        let angle = settings.rotate.to_radians();
        let ground = Border::Constant(Luma([0]));
        page = rotate_about_center(&page, angle, Interpolation::Bilinear, ground);
    }
    if settings.blur > 0.0 {
        page = DynamicImage::ImageLuma8(page)
            .blur(settings.blur)
            .into_luma8();
    }
    let mut colours = [[0; 3]; 256];
    for (coverage, colour) in (0u32..).zip(&mut colours) {
        for (to, (ink, paper)) in colour.iter_mut().zip(ink.into_iter().zip(paper)) {
            let sum = u32::from(ink) * coverage + u32::from(paper) * (255 - coverage);
            *to = ((sum + 127) / 255) as u8;
        }
    }
    let mut pixels = Vec::with_capacity(page.as_raw().len() * 3);
    if settings.noise > 0.0 {
        let mut random = SplitMix64::new(seed, 3);
        for &coverage in page.as_raw() {
            let noise = normal(&mut random) * settings.noise;
            let colour = colours[usize::from(coverage)];
            pixels.extend(colour.map(|c| (f32::from(c) + noise).round().clamp(0.0, 255.0) as u8));
        }
    } else {
        for &coverage in page.as_raw() {
            pixels.extend_from_slice(&colours[usize::from(coverage)]);
        }
    }
    // There are three bytes for each pixel, so the length is always right.
    RgbImage::from_raw(page.width(), page.height(), pixels).unwrap_or_default()
}

/// The sum of four uniform numbers, which is nearly normal with mean 0 and variance 1.
fn normal(random: &mut SplitMix64) -> f32 {
    let bits = random.next();
    let sum: u32 = (0..4)
        .map(|part| (bits >> (16 * part)) as u32 & 0xffff)
        .sum();
    // Each uniform number has the variance 1/12, and four of them have 1/3.
    (sum as f32 / 65535.0 - 2.0) * 3.0f32.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(settings: &TypesetSettings, seed: u64) -> RgbImage {
        let blank = GrayImage::new(settings.width, settings.height);
        finish(blank, settings, [[0; 3], [128; 3]], seed)
    }

    #[test]
    fn noise_has_the_spread_asked_for() {
        let settings = TypesetSettings {
            noise: 12.0,
            ..TypesetSettings::default()
        };
        let noisy = page(&settings, 1);
        let n = f64::from(settings.width * settings.height);
        let values = || noisy.pixels().map(|pixel| f64::from(pixel[0]));
        let mean = values().sum::<f64>() / n;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 128.0).abs() < 0.1, "{mean}");
        // Rounding to whole levels adds 1/12 to 144.
        assert!((variance - 144.08).abs() < 1.5, "{variance}");
        assert_eq!(noisy, page(&settings, 1));
        assert_ne!(noisy, page(&settings, 2));
    }

    #[test]
    fn blur_spreads_ink_by_its_standard_deviation() {
        let settings = TypesetSettings {
            blur: 3.0,
            width: 101,
            height: 101,
            ..TypesetSettings::default()
        };
        let mut dot = GrayImage::new(101, 101);
        fill_rectangle(&mut dot, 40.0, 0.0, 61.0, 101.0);
        let blurred = finish(dot, &settings, [[255; 3], [0; 3]], 0);
        // A bar of 21 pixels has the variance (21² - 1) / 12 = 36.67, and the blur adds 9.
        let row: Vec<f64> = (0..101).map(|x| f64::from(blurred[(x, 50)][0])).collect();
        let sum: f64 = row.iter().sum();
        let variance = (0..101u32)
            .map(|x| (f64::from(x) - 50.0).powi(2) * row[x as usize] / sum)
            .sum::<f64>();
        assert!((variance - 45.67).abs() < 1.0, "{variance}");
    }
}
