//! Draws pages.

use super::chinese::{NoChineseFont, as_regular, system_cjk};
use super::{Area, Page, TextLine};
use cosmic_text::fontdb::{Database, FaceInfo, Source};
use cosmic_text::{Attrs, Buffer, Color, Family, FontSystem, Metrics, Shaping, SwashCache, Wrap};
use image::{Rgb, RgbImage};
use std::sync::Arc;

/// The family of the font.
const FAMILY: &str = "DejaVu Sans";
const LOCALE: &str = "en-US";
/// The height of a line in font sizes.
const LEADING: f32 = 1.25;
/// The share of ink, of 255, from which a pixel belongs to the box of a line.
const INK: u8 = 128;
/// The side of the squares of the texture, in pixels.
const GRAIN: u32 = 4;

/// The font with its drawn letters.
pub struct Typesetter {
    system: FontSystem,
    glyphs: SwashCache,
    family: String,
}

/// A page as pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// The picture.
    pub picture: RgbImage,
    /// The tight box around the ink of each line. Empty (four zeros) for a line without ink.
    pub ink: Vec<Area>,
}

impl Default for Typesetter {
    fn default() -> Self {
        Self::new()
    }
}

impl Typesetter {
    /// A typesetter with the font of the program.
    pub fn new() -> Self {
        let mut database = Database::new();
        database.load_font_source(Source::Binary(Arc::new(dejavu::sans::regular())));
        Self {
            system: FontSystem::new_with_locale_and_db(LOCALE.to_owned(), database),
            glyphs: SwashCache::new(),
            family: FAMILY.to_owned(),
        }
    }

    /// A typesetter with a font for Chinese, which has all characters that the font of the program lacks.
    pub fn with_font(face: &FaceInfo) -> Self {
        let mut typesetter = Self::new();
        let face = as_regular(face);
        if let Some((name, _)) = face.families.first() {
            typesetter.family.clone_from(name);
        }
        typesetter.system.db_mut().push_face_info(face);
        typesetter
    }

    /// A typesetter that can draw the lines of a page.
    ///
    /// # Errors
    /// Fails if a line is Chinese and this machine has no font for it.
    pub fn of_page(page: &Page) -> Result<Self, NoChineseFont> {
        if page.lines.iter().all(|line| line.text.is_ascii()) {
            return Ok(Self::new());
        }
        let face = system_cjk().ok_or(NoChineseFont)?;
        Ok(Self::with_font(&face))
    }

    /// The family of the font if it is one of the system.
    pub fn system_font(&self) -> Option<&str> {
        (self.family != FAMILY).then_some(self.family.as_str())
    }

    /// The width of a text in pixels, rounded up.
    pub fn width(&mut self, text: &str, size: u32) -> i32 {
        let buffer = self.shaped(text, size);
        let widths = buffer.layout_runs().map(|run| run.line_w);
        widths.fold(0.0, f32::max).ceil() as i32
    }

    /// The height of a line in pixels.
    pub fn line_height(size: u32) -> i32 {
        (size as f32 * LEADING).ceil() as i32
    }

    /// Draws a page.
    pub fn draw(&mut self, page: &Page) -> Drawn {
        let mut picture = ground(page);
        for plate in &page.plates {
            let [left, top, right, bottom] = plate.area;
            for y in top.max(0)..bottom {
                for x in left.max(0)..right {
                    if let Some(pixel) = picture.get_pixel_mut_checked(x as u32, y as u32) {
                        *pixel = Rgb(plate.color);
                    }
                }
            }
        }
        for thing in &page.things {
            thing.draw(&mut picture);
        }
        let lines = page.lines.iter();
        let ink = lines.map(|line| self.draw_line(&mut picture, line));
        Drawn {
            ink: ink.collect(),
            picture,
        }
    }

    fn shaped(&mut self, text: &str, size: u32) -> Buffer {
        let size = size as f32;
        let mut buffer = Buffer::new(&mut self.system, Metrics::new(size, size * LEADING));
        buffer.set_wrap(Wrap::None);
        buffer.set_size(None, None);
        let attributes = Attrs::new().family(Family::Name(&self.family));
        buffer.set_text(text, &attributes, Shaping::Advanced, None);
        buffer.shape_until_scroll(&mut self.system, false);
        buffer
    }

    /// Draws a line, and gives the box of its ink.
    fn draw_line(&mut self, picture: &mut RgbImage, line: &TextLine) -> Area {
        let mut buffer = self.shaped(&line.text, line.size);
        let black = Color::rgb(0, 0, 0);
        let mut ink: Option<Area> = None;
        let paint = |x: i32, y: i32, width: u32, height: u32, color: Color| {
            for row in y..y + height as i32 {
                for column in x..x + width as i32 {
                    let (x, y) = (line.x + column, line.y + row);
                    let place = (u32::try_from(x), u32::try_from(y));
                    let (Ok(column), Ok(row)) = place else {
                        continue;
                    };
                    let Some(pixel) = picture.get_pixel_mut_checked(column, row) else {
                        continue;
                    };
                    blend(pixel, line.color, color.a());
                    if color.a() >= INK {
                        let own = [x, y, x + 1, y + 1];
                        ink = Some(ink.map_or(own, |ink| around(ink, own)));
                    }
                }
            }
        };
        buffer.draw(&mut self.system, &mut self.glyphs, black, paint);
        ink.unwrap_or_default()
    }
}

fn around(a: Area, b: Area) -> Area {
    [
        a[0].min(b[0]),
        a[1].min(b[1]),
        a[2].max(b[2]),
        a[3].max(b[3]),
    ]
}

/// A colour over a pixel. `alpha` is its share of 255.
fn blend(pixel: &mut Rgb<u8>, color: [u8; 3], alpha: u8) {
    for (under, ink) in pixel.0.iter_mut().zip(color) {
        let sum = u32::from(ink) * u32::from(alpha) + u32::from(*under) * u32::from(255 - alpha);
        *under = ((sum + 127) / 255) as u8;
    }
}

/// The ground: a colour, with squares that deviate from it if the page has a texture.
fn ground(page: &Page) -> RgbImage {
    let spread = i32::from(page.texture);
    RgbImage::from_fn(page.side, page.side, |x, y| {
        if spread == 0 {
            return Rgb(page.paper);
        }
        let place = (u64::from(x / GRAIN) << 32) | u64::from(y / GRAIN);
        let offset = (mixed(page.seed ^ mixed(place)) % (2 * spread as u64 + 1)) as i32 - spread;
        Rgb(page
            .paper
            .map(|value| (i32::from(value) + offset).clamp(0, 255) as u8))
    })
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lines: Vec<TextLine>, texture: u8) -> Page {
        Page {
            side: 200,
            paper: [250; 3],
            texture,
            seed: 3,
            plates: Vec::new(),
            things: Vec::new(),
            lines,
        }
    }

    fn line(text: &str, x: i32, y: i32) -> TextLine {
        TextLine {
            text: text.to_owned(),
            size: 40,
            x,
            y,
            color: [10, 20, 30],
        }
    }

    #[test]
    fn the_box_of_a_line_is_tight_and_moves_with_it() {
        let mut typesetter = Typesetter::new();
        let drawn = typesetter.draw(&page(vec![line("HI", 20, 30)], 0));
        let [left, top, right, bottom] = drawn.ink[0];
        let dark = |x: i32, y: i32| drawn.picture.get_pixel(x as u32, y as u32).0[0] < 130;
        let any = |inside: &dyn Fn(i32, i32) -> bool| {
            (0..200).any(|y| (0..200).any(|x| inside(x, y) && dark(x, y)))
        };
        assert!(any(&|x, _| x == left) && any(&|x, _| x == right - 1));
        assert!(!any(&|x, y| x < left
            || x >= right
            || y < top
            || y >= bottom));
        // A capital is about 0.73 font sizes high.
        assert!((27..=31).contains(&(bottom - top)), "{:?}", drawn.ink);
        let moved = typesetter.draw(&page(vec![line("HI", 27, 35)], 0));
        assert_eq!(moved.ink[0], [left + 7, top + 5, right + 7, bottom + 5]);
        let width = typesetter.width("HI", 40);
        assert!(
            (right - left..right - left + 15).contains(&width),
            "{width}"
        );
    }

    #[test]
    fn a_line_without_letters_or_beyond_the_page_has_no_ink() {
        let mut typesetter = Typesetter::new();
        let drawn = typesetter.draw(&page(vec![line(" ", 20, 30), line("HI", -500, 30)], 0));
        assert_eq!(drawn.ink, [[0; 4]; 2]);
        assert!(drawn.picture.pixels().all(|pixel| pixel.0 == [250; 3]));
    }

    #[test]
    fn a_texture_is_light_and_the_same_each_time() {
        let mut typesetter = Typesetter::new();
        let drawn = typesetter.draw(&page(Vec::new(), 5));
        let values: Vec<u8> = drawn.picture.pixels().map(|pixel| pixel.0[0]).collect();
        assert_eq!(values.iter().min(), Some(&245));
        assert_eq!(values.iter().max(), Some(&255));
        assert_eq!(drawn, typesetter.draw(&page(Vec::new(), 5)));
    }
}
