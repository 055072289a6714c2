//! A text as glyphs on one endless line, measured in ems, and its breaking into lines of any width.

use super::fonts::Fonts;
use super::target::is_cjk;
use cosmic_text::{Attrs, Buffer, Family, LayoutGlyph, Metrics, Shaping, Wrap};
use std::ops::Range;

/// Font size in pixels at which texts are shaped; advances are linear in the size.
const EM: f32 = 64.0;
/// Punctuation that must not begin a line of Chinese.
const CLOSING: &str = "，。！？、；：）》」』】〉”’…—～·,.!?;:)]}%％℃";
/// Punctuation that must not end one.
const OPENING: &str = "（《「『【〈“‘([{$￥#";

/// A text without line feeds.
#[derive(Debug, Clone)]
pub(super) struct Paragraph {
    /// Its glyphs on one line.
    pub glyphs: Vec<LayoutGlyph>,
    /// Parts that stay together.
    units: Vec<Unit>,
    /// Characters that no font has.
    pub missing: String,
}

/// A word, or in Chinese a character with its punctuation. Positions are in ems.
#[derive(Debug, Clone, PartialEq)]
struct Unit {
    glyphs: Range<usize>,
    start: f32,
    end: f32,
}

/// A line: some glyphs of a paragraph. Positions are in ems.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Which glyphs of the paragraph.
    pub glyphs: Range<usize>,
    /// Where the first glyph begins in the paragraph.
    pub start: f32,
    /// From the first glyph's beginning to the last one's end.
    pub width: f32,
}

/// Shapes a text; each of its lines becomes a paragraph.
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

/// Whether a line may end between two characters: at blanks, and beside CJK characters where punctuation
/// allows.
fn may_break(before: char, after: char) -> bool {
    if before == ' ' {
        return true;
    }
    (is_cjk(before) || is_cjk(after)) && !OPENING.contains(before) && !CLOSING.contains(after)
}

impl Paragraph {
    /// Width of the widest part that stays together, in ems.
    pub(super) fn widest(&self) -> f32 {
        let widths = self.units.iter().map(|unit| unit.end - unit.start);
        widths.fold(0.0, f32::max)
    }

    /// Lines of at most `width` ems, each as long as possible. Only a part wider than that is broken inside.
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

    /// A glyph's position and scale for drawing it at `size` pixels with the line's origin at (`x`, `y`).
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

/// Puts a unit on the last line if it fits there, else on a new one.
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
