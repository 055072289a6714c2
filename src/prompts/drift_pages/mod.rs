//! Local edits of pages with text: what is to change is known, and so is every line that is to stay.

mod edits;
mod language;
mod layouts;

use super::description::{Keep, Make, PromptGeneratorDescription};
use super::mini::{SEED, tags};
use crate::image::encode_png;
use crate::page::{Area, NoChineseFont, Page, Typesetter, system_cjk};
use crate::record::{Item, Object, Task};
use crate::world::random::Random;
use edits::{Edited, KINDS};
use image::{Rgb, RgbImage};
use language::Language;
use layouts::{LAYOUTS, PLACES, Sheet};
use rayon::prelude::*;
use serde_json::{Value, json};

/// Items of each kind of edit.
const PER_KIND: usize = 24;
/// The first stream of random numbers of these items; each item has its own.
const STREAM: u64 = 1_000;
/// The pixels around a line whose words are to change.
const MARGIN: i32 = 8;

/// Local edits of English pages.
pub(super) static ENGLISH: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "drift-pages-en",
    about: "24 local edits of each of five kinds of pages with six to ten lines of English text.",
    make: Make::ItemsWithPictures(|keep| pages(keep, &language::ENGLISH, Typesetter::new)),
    official: None,
};

/// The same of Chinese pages, which are drawn with a font of the system.
pub(super) static CHINESE: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "drift-pages-zh",
    about: "The same of pages of Chinese text, in a font of the system.",
    make: Make::ItemsWithPictures(|keep| {
        let face = system_cjk().ok_or_else(|| NoChineseFont.to_string())?;
        pages(keep, &language::CHINESE, || Typesetter::with_font(&face))
    }),
    official: None,
};

/// The words of English pages.
pub(super) fn english_words() -> &'static [&'static str] {
    language::ENGLISH.words
}

/// An item whose pictures are not kept yet.
struct Made {
    item: Item,
    input: Vec<u8>,
    target: Vec<u8>,
    mask: Vec<u8>,
}

/// The items.
///
/// # Errors
/// Fails if a picture cannot be kept.
fn pages(
    keep: &Keep<'_>,
    language: &Language,
    typesetter: impl Fn() -> Typesetter + Send + Sync,
) -> Result<Vec<Item>, String> {
    let all: Vec<(usize, usize)> = (0..KINDS.len())
        .flat_map(|kind| (0..PER_KIND).map(move |index| (kind, index)))
        .collect();
    let made: Result<Vec<Made>, String> = all
        .into_par_iter()
        .map_init(typesetter, |typesetter, (kind, index)| {
            page_item(kind, index, language, typesetter)
        })
        .collect();
    made?.into_iter().map(|made| made.kept(keep)).collect()
}

impl Made {
    /// The item with its pictures.
    ///
    /// # Errors
    /// Fails if a picture cannot be kept.
    fn kept(self, keep: &Keep<'_>) -> Result<Item, String> {
        let mut item = self.item;
        item.images = vec![keep(&self.input)?];
        item.expect
            .insert("target".into(), keep(&self.target)?.into());
        item.expect.insert("mask".into(), keep(&self.mask)?.into());
        Ok(item)
    }
}

/// One page with its edit.
fn page_item(
    kind: usize,
    index: usize,
    language: &Language,
    typesetter: &mut Typesetter,
) -> Result<Made, String> {
    let number = kind * PER_KIND + index;
    let random = &mut Random::new(SEED, STREAM + number as u64);
    let layout = LAYOUTS[index % LAYOUTS.len()];
    let kind = KINDS[kind];
    let Sheet { mut page, frame } = layouts::sheet(layout, number, language, typesetter, random);
    if kind == "add" {
        // One place stays free.
        page.things.truncate(PLACES - 1);
    }
    let edit = edits::sampled(kind, (&page, frame), language, random);
    let input = typesetter.draw(&page);
    let target = typesetter.draw(&edit.page);
    let region = match edit.line {
        None => frame,
        Some(line) => grown(input.ink[line], target.ink[line]),
    };
    let encoded = |picture: &RgbImage| encode_png(picture).map_err(|error| error.to_string());
    let mut expect = Object::new();
    expect.insert("edit_type".into(), kind.into());
    expect.insert("lines".into(), lines(&page, &input.ink, &edit, language));
    expect.insert("page".into(), json!(page));
    if let Some(font) = typesetter.system_font() {
        expect.insert("font".into(), font.into());
    }
    let texture = if page.texture > 0 { "light" } else { "flat" };
    Ok(Made {
        item: Item {
            item: format!("{kind}-{index:02}"),
            task: Task::Edit,
            prompt: edit.prompt,
            images: Vec::new(),
            expect,
            tags: tags([
                ("edit_type", kind),
                ("layout", layout),
                ("language", language.code),
                ("texture", texture),
            ]),
            extra: Object::new(),
        },
        input: encoded(&input.picture)?,
        target: encoded(&target.picture)?,
        mask: encoded(&painted(page.side, region))?,
    })
}

/// The lines with the boxes of their ink, as the rule `text-drift` reads them.
fn lines(page: &Page, ink: &[Area], edit: &Edited, language: &Language) -> Value {
    let lines = page.lines.iter().zip(ink).enumerate();
    let lines = lines.map(|(place, (line, bbox))| {
        json!({"text": line.text, "box": bbox, "size": line.size, "language": language.code,
            "target": edit.line == Some(place)})
    });
    lines.collect()
}

/// The region around the ink of a line before and after.
fn grown(a: Area, b: Area) -> Area {
    [
        a[0].min(b[0]) - MARGIN,
        a[1].min(b[1]) - MARGIN,
        a[2].max(b[2]) + MARGIN,
        a[3].max(b[3]) + MARGIN,
    ]
}

/// White in a region.
fn painted(side: u32, [left, top, right, bottom]: Area) -> RgbImage {
    RgbImage::from_fn(side, side, |x, y| {
        let inside = (left..right).contains(&(x as i32)) && (top..bottom).contains(&(y as i32));
        Rgb([if inside { u8::MAX } else { 0 }; 3])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_whole_on_the_page_and_outside_of_what_changes() {
        let mut typesetter = Typesetter::new();
        for (kind, name) in KINDS.iter().enumerate() {
            for index in 0..LAYOUTS.len() {
                let made = page_item(kind, index, &language::ENGLISH, &mut typesetter).unwrap();
                let lines = made.item.expect["lines"].as_array().unwrap();
                assert!(
                    (6..=10).contains(&lines.len()),
                    "{name} {index}: {}",
                    lines.len()
                );
                let mask = crate::image::decode_bytes(&made.mask, "mask").unwrap().rgb;
                let mut boxes: Vec<Vec<i64>> = Vec::new();
                for line in lines {
                    let bbox: Vec<i64> = serde_json::from_value(line["box"].clone()).unwrap();
                    assert!(bbox[0] > 0 && bbox[1] > 0 && bbox[2] < 1024 && bbox[3] < 1024);
                    assert!(bbox[2] > bbox[0], "{name} {index}: {line}");
                    if line["target"] == false {
                        let corners = [(bbox[0], bbox[1]), (bbox[2] - 1, bbox[3] - 1)];
                        let white = corners
                            .iter()
                            .any(|(x, y)| mask.get_pixel(*x as u32, *y as u32).0[0] > 0);
                        assert!(!white, "{name} {index}: {line}");
                    }
                    let apart = boxes.iter().all(|other| {
                        bbox[0] >= other[2]
                            || bbox[2] <= other[0]
                            || bbox[1] >= other[3]
                            || bbox[3] <= other[1]
                    });
                    assert!(apart, "{name} {index}: {line}");
                    boxes.push(bbox);
                }
            }
        }
    }

    #[test]
    fn an_edit_changes_pixels_inside_its_region_only() {
        let mut typesetter = Typesetter::new();
        for kind in 0..KINDS.len() {
            let made = page_item(kind, 0, &language::ENGLISH, &mut typesetter).unwrap();
            let open = |bytes: &[u8]| crate::image::decode_bytes(bytes, "page").unwrap().rgb;
            let (input, target, mask) = (open(&made.input), open(&made.target), open(&made.mask));
            let mut changed = 0;
            for ((a, b), mask) in input.pixels().zip(target.pixels()).zip(mask.pixels()) {
                changed += usize::from(a != b);
                assert!(a == b || mask.0[0] > 0, "{}", made.item.item);
            }
            assert!(changed > 200, "{}: {changed}", made.item.item);
        }
    }

    /// Skipped in silence without a font for Chinese; `tests/it/probes.rs` says so.
    #[test]
    fn chinese_lines_have_ink_and_their_characters() {
        let Some(face) = system_cjk() else {
            return;
        };
        let mut typesetter = Typesetter::with_font(&face);
        for (kind, name) in KINDS.iter().enumerate() {
            let made = page_item(kind, kind, &language::CHINESE, &mut typesetter).unwrap();
            let lines = made.item.expect["lines"].as_array().unwrap();
            assert!((6..=10).contains(&lines.len()), "{name}");
            for line in lines {
                let [left, top, right, bottom]: [i64; 4] =
                    serde_json::from_value(line["box"].clone()).unwrap();
                let size = line["size"].as_i64().unwrap();
                let letters = line["text"].as_str().unwrap().chars().count() as i64;
                // Each character is as wide as the font, apart from digits and blanks.
                assert!(bottom - top > size / 2 && bottom - top < 2 * size, "{line}");
                assert!(right - left > letters * size / 3, "{line}");
            }
        }
    }
}
