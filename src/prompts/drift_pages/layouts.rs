//! The four layouts of pages: where the text is, and where the frame with the things is.

use super::language::Language;
use crate::page::{Area, Kind, Page, Plate, TextLine, Thing, Typesetter};
use crate::world::random::Random;

/// The names of the layouts.
pub(super) const LAYOUTS: [&str; 4] = ["poster", "label", "form", "scene"];
/// Width and height of a page, in pixels.
const SIDE: i32 = 1024;
/// The smallest distance of text from the border and from other text, in pixels.
const MARGIN: i32 = 24;
/// Font sizes, in pixels.
const SIZES: [u32; 3] = [28, 40, 64];
/// Dark and light colours of text and plates.
const INKS: [[u8; 3]; 4] = [[20, 20, 20], [30, 40, 110], [110, 20, 30], [15, 80, 50]];
const PLATES: [[u8; 3]; 4] = [
    [245, 222, 160],
    [200, 225, 245],
    [215, 240, 205],
    [240, 205, 215],
];
/// Colours of paper.
const PAPERS: [[u8; 3]; 3] = [[252, 251, 247], [236, 240, 244], [247, 240, 228]];
/// Names and colours of things. All differ from the papers.
pub(super) const COLORS: [(&str, [u8; 3]); 6] = [
    ("red", [210, 40, 40]),
    ("green", [40, 150, 60]),
    ("blue", [40, 80, 210]),
    ("orange", [235, 140, 30]),
    ("purple", [140, 60, 180]),
    ("black", [25, 25, 25]),
];

/// A page, and the frame without text that its things are in.
pub(super) struct Sheet {
    pub page: Page,
    pub frame: Area,
}

/// A page of a layout. `number` decides whether its ground has a texture, which a third of the pages have.
pub(super) fn sheet(
    layout: &str,
    number: usize,
    language: &Language,
    typesetter: &mut Typesetter,
    random: &mut Random,
) -> Sheet {
    let (frame, areas) = areas(layout);
    let on_plates = layout == "scene";
    let mut page = Page {
        side: SIDE as u32,
        paper: random.pick(&PAPERS),
        texture: if number.is_multiple_of(3) { 5 } else { 0 },
        seed: number as u64,
        plates: Vec::new(),
        things: Vec::new(),
        lines: Vec::new(),
    };
    if on_plates {
        let plates = areas.iter().map(|(area, _)| Plate {
            area: *area,
            color: random.pick(&PLATES),
        });
        page.plates = plates.collect();
    }
    for (area, count) in areas {
        fill(
            &mut page.lines,
            (area, count),
            (layout, language),
            typesetter,
            random,
        );
    }
    page.things = things(frame, random);
    Sheet { page, frame }
}

/// The frame, and the areas of text with their numbers of lines. Together they have six to ten lines.
fn areas(layout: &str) -> (Area, Vec<(Area, usize)>) {
    match layout {
        "poster" => (
            [180, 380, 844, 660],
            vec![([40, 40, 984, 360], 4), ([40, 690, 984, 990], 4)],
        ),
        "label" => (
            [352, 352, 672, 672],
            vec![
                ([40, 40, 984, 330], 3),
                ([24, 400, 330, 620], 1),
                ([694, 400, 1000, 620], 1),
                ([40, 700, 984, 990], 3),
            ],
        ),
        "form" => ([640, 340, 980, 680], vec![([60, 60, 610, 964], 9)]),
        _ => (
            [352, 352, 672, 672],
            vec![
                ([40, 40, 330, 200], 1),
                ([370, 40, 984, 200], 1),
                ([40, 370, 330, 640], 2),
                ([700, 370, 984, 560], 1),
                ([40, 720, 480, 940], 2),
                ([520, 720, 984, 940], 1),
            ],
        ),
    }
}

/// Puts lines into an area, from the top. Lines that would be too wide get a smaller font or fewer words.
fn fill(
    lines: &mut Vec<TextLine>,
    ([left, top, right, bottom], count): (Area, usize),
    (layout, language): (&str, &Language),
    typesetter: &mut Typesetter,
    random: &mut Random,
) {
    let step = (bottom - top) / count.max(1) as i32;
    for place in 0..count {
        let room = (right - left - 2 * MARGIN).max(0);
        let room = (room, step - MARGIN / 2);
        let (text, size) = fitting((layout, language), room, typesetter, random);
        let width = typesetter.width(&text, size);
        let x = match layout {
            "form" => left + MARGIN,
            _ => left + (right - left - width) / 2,
        };
        let free = step - Typesetter::line_height(size);
        lines.push(TextLine {
            text,
            size,
            x,
            y: top + place as i32 * step + free / 2,
            color: random.pick(&INKS),
        });
    }
}

/// A text and a font size that fit into a width and a height.
fn fitting(
    (layout, language): (&str, &Language),
    (room, height): (i32, i32),
    typesetter: &mut Typesetter,
    random: &mut Random,
) -> (String, u32) {
    let mut fits = |text: &str, size: u32| {
        typesetter.width(text, size) <= room && Typesetter::line_height(size) <= height
    };
    let (size, text) = (random.pick(&SIZES), words(layout, language, random));
    let smaller = SIZES.iter().rev().copied().filter(|other| *other <= size);
    for size in smaller {
        if fits(&text, size) {
            return (text, size);
        }
    }
    // One word in the smallest font always fits.
    (random.pick(language.words).to_owned(), SIZES[0])
}

/// The words of a line. Rows of a form end with a number.
fn words(layout: &str, language: &Language, random: &mut Random) -> String {
    let count = 1 + random.below(2);
    let chosen = random.several(language.words, count);
    let mut text = chosen.join(language.between);
    if layout == "form" || random.chance(0.2) {
        text = format!("{text} {}", 100 + random.below(900));
    }
    if random.chance(0.5)
        && let Some(first) = text.get_mut(..1)
    {
        // An upper-case start, as in titles, where the language has one.
        first.make_ascii_uppercase();
    }
    text
}

/// One to three things side by side in a frame. The last place of the frame stays free if there are fewer.
fn things(frame: Area, random: &mut Random) -> Vec<Thing> {
    let count = 1 + random.below(3);
    let kinds = random.several(&Kind::ALL, count);
    let colors = random.several(&COLORS, count);
    let places = kinds.into_iter().zip(colors).enumerate();
    places
        .map(|(place, (kind, (_, color)))| thing_at(frame, place, kind, color))
        .collect()
}

/// The number of places in a frame.
pub(super) const PLACES: usize = 3;

/// A thing at a place of a frame, from the left.
pub(super) fn thing_at(frame: Area, place: usize, kind: Kind, color: [u8; 3]) -> Thing {
    let [left, top, right, bottom] = frame;
    let wide = (right - left) / PLACES as i32;
    Thing {
        kind,
        color,
        x: left + wide * place as i32 + wide / 2,
        y: top + (bottom - top) / 2,
        half: (wide.min(bottom - top) / 2 - 8).max(4),
    }
}
