//! A text as glyphs on one endless line, measured in ems, which can be broken into lines of any width.

use super::fonts::Fonts;
use super::target::is_cjk;
use cosmic_text::{Attrs, Buffer, Family, LayoutGlyph, Metrics, Shaping, Wrap};
use std::ops::Range;

/// The font size, in pixels, at which texts are shaped. Advances are proportional to the size.
const EM: f32 = 64.0;
/// Punctuation with which a line of Chinese must not begin.
const CLOSING: &str = "，。！？、；：）》」』】〉”’…—～·,.!?;:)]}%％℃";
/// Punctuation with which a line of Chinese must not end.
const OPENING: &str = "（《「『【〈“‘([{$￥#";

/// A text without line feeds.
#[derive(Debug, Clone)]
pub(super) struct Paragraph {
    /// Its glyphs on one line.
    pub glyphs: Vec<LayoutGlyph>,
    /// The parts that must not be broken.
    units: Vec<Unit>,
    /// Characters that no font has.
    pub missing: String,
}

/// A word, or a Chinese character with its punctuation. Positions are in ems.
#[derive(Debug, Clone, PartialEq)]
struct Unit {
    glyphs: Range<usize>,
    start: f32,
    end: f32,
}

/// A line, which has some glyphs of a paragraph. Positions are in ems.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// The range of the paragraph's glyphs.
    pub glyphs: Range<usize>,
    /// The start of the first glyph in the paragraph.
    pub start: f32,
    /// The distance from the start of the first glyph to the end of the last glyph.
    pub width: f32,
}

/// Shapes a text. Each of its lines becomes a paragraph.
pub(super) fn shape(fonts: &mut Fonts, text: &str, chinese: bool) -> Vec<Paragraph> {
    let cjk = fonts.cjk.clone().filter(|_| chinese);
    let family = cjk.as_deref().unwrap_or(fonts.latin);
    let attributes = Attrs::new().family(Family::Name(family));
    let mut buffer = Buffer::new(&mut fonts.system, Metrics::new(EM, EM));
    buffer.set_wrap(Wrap::None);
    buffer.set_size(None, None);
    buffer.set_text(text.trim(), &attributes, Shaping::Advanced, None);
    buffer.shape_until_scroll(&mut fonts.system, false);
    let mut paragraphs = Vec::new();
    for run in buffer.layout_runs() {
        let units = units(run.text, run.glyphs);
        let missing = run.glyphs.iter().filter(|glyph| glyph.glyph_id == 0);
        paragraphs.push(Paragraph {
            missing: missing
                .map(|glyph| &run.text[glyph.start..glyph.end])
                .filter(|cluster| !cluster.trim().is_empty())
                .collect(),
            glyphs: run.glyphs.to_vec(),
            units,
        });
    }
    paragraphs
}

fn units(text: &str, glyphs: &[LayoutGlyph]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut before = ' ';
    for (at, glyph) in glyphs.iter().enumerate() {
        let cluster = &text[glyph.start..glyph.end];
        let Some(character) = cluster.chars().next() else {
            continue;
        };
        if character.is_whitespace() {
            before = ' ';
            continue;
        }
        let (start, end) = (glyph.x / EM, (glyph.x + glyph.w) / EM);
        match units.last_mut() {
            Some(unit) if !may_break(before, character) => {
                unit.glyphs.end = at + 1;
                unit.end = unit.end.max(end);
            }
            _ => units.push(Unit {
                glyphs: at..at + 1,
                start,
                end,
            }),
        }
        before = cluster.chars().next_back().unwrap_or(character);
    }
    units
}

/// Whether a line may end between two characters. It may end at blanks, and next to CJK characters if the
/// punctuation allows it.
fn may_break(before: char, after: char) -> bool {
    if before == ' ' {
        return true;
    }
    (is_cjk(before) || is_cjk(after)) && !OPENING.contains(before) && !CLOSING.contains(after)
}

impl Paragraph {
    /// The width of the widest part that must not be broken, in ems.
    pub(super) fn widest(&self) -> f32 {
        let widths = self.units.iter().map(|unit| unit.end - unit.start);
        widths.fold(0.0, f32::max)
    }

    /// The lines of at most `width` ems, each as long as possible. Only a part that is wider than a line is
    /// broken inside.
    pub(super) fn lines(&self, width: f32) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for unit in &self.units {
            if unit.end - unit.start <= width {
                extend(&mut lines, unit, width);
                continue;
            }
            for at in unit.glyphs.clone() {
                let glyph = &self.glyphs[at];
                let piece = Unit {
                    glyphs: at..at + 1,
                    start: glyph.x / EM,
                    end: (glyph.x + glyph.w) / EM,
                };
                extend(&mut lines, &piece, width);
            }
        }
        lines
    }

    /// The position and the scale of a glyph with the font size `size`, in pixels, if the line's origin is at
    /// (`x`, `y`).
    pub(super) fn physical(
        &self,
        glyph: usize,
        line: &Line,
        size: f32,
        (x, y): (f32, f32),
    ) -> cosmic_text::PhysicalGlyph {
        self.glyphs[glyph].physical((x - line.start * size, y), size / EM)
    }
}

/// Adds a part to the last line if it fits there, or else to a new line.
fn extend(lines: &mut Vec<Line>, unit: &Unit, width: f32) {
    match lines.last_mut() {
        Some(line) if unit.end - line.start <= width => {
            line.glyphs.end = unit.glyphs.end;
            line.width = unit.end - line.start;
        }
        _ => lines.push(Line {
            glyphs: unit.glyphs.clone(),
            start: unit.start,
            width: unit.end - unit.start,
        }),
    }
}
