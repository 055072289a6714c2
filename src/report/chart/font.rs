//! The charts' font: DejaVu Sans, embedded, and a CJK font of the system where a label needs one.

use ab_glyph::{Font, FontRef, ScaleFont};
use plotters::style::{FontStyle, register_font};
use std::sync::OnceLock;
use unicode_segmentation::UnicodeSegmentation;

/// The family as written into SVG: readers without DejaVu, or without a glyph in it, try the next ones of the
/// list.
pub(super) const FAMILY: &str =
    "DejaVu Sans, Verdana, Noto Sans, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif";
/// The family that PNG labels are drawn in when DejaVu lacks one of their characters.
pub(super) const WIDE_FAMILY: &str = "system CJK";

/// plotters' font size over the em that its SVG backend writes.
pub(super) const SIZE_PER_EM: f64 = 1.24;

/// What replaces a character that no font has.
const MISSING: char = '□';

struct Fonts {
    regular: Option<FontRef<'static>>,
    /// The system's CJK font, looked for when the first label needs it.
    wide: OnceLock<Option<FontRef<'static>>>,
}

fn fonts() -> &'static Fonts {
    static FONTS: OnceLock<Fonts> = OnceLock::new();
    FONTS.get_or_init(|| {
        let regular = dejavu::sans::regular();
        // Both calls fail only on bytes that are not a font; then drawing reports that the family is
        // unavailable.
        let _ = register_font(FAMILY, FontStyle::Normal, regular);
        let _ = register_font(FAMILY, FontStyle::Bold, dejavu::sans::bold());
        Fonts {
            regular: FontRef::try_from_slice(regular).ok(),
            wide: OnceLock::new(),
        }
    })
}

/// Makes the families known to plotters. Cheap after the first call.
pub(super) fn register() {
    fonts();
}

fn has(font: &FontRef<'_>, character: char) -> bool {
    character.is_whitespace() || font.glyph_id(character).0 != 0
}

fn covered(font: Option<&FontRef<'_>>, text: &str) -> bool {
    font.is_some_and(|font| text.chars().all(|character| has(font, character)))
}

/// The first installed font that has common Chinese characters, kept for the program's life.
fn wide_font() -> Option<&'static FontRef<'static>> {
    let find = || {
        let mut installed = cosmic_text::fontdb::Database::new();
        installed.load_system_fonts();
        let faces: Vec<_> = installed
            .faces()
            .map(|face| (face.id, face.index))
            .collect();
        for (id, index) in faces {
            let bytes = installed.with_face_data(id, |data, _| {
                let font = FontRef::try_from_slice_and_index(data, index).ok()?;
                covered(Some(&font), "中文字体说明").then(|| data.to_vec())
            });
            // plotters registers a collection's first face only.
            if let (Some(Some(bytes)), 0) = (bytes, index) {
                let bytes: &'static [u8] = Box::leak(bytes.into_boxed_slice());
                if register_font(WIDE_FAMILY, FontStyle::Normal, bytes).is_ok() {
                    return FontRef::try_from_slice(bytes).ok();
                }
            }
        }
        None
    };
    fonts().wide.get_or_init(find).as_ref()
}

/// How to draw a label in pixels: the text, and the family that has its characters. Without a system font for
/// them, the label's `id` is drawn instead, with boxes for characters that no font has.
pub(super) fn drawable(text: &str, id: &str) -> (String, &'static str) {
    let regular = fonts().regular.as_ref();
    if covered(regular, text) {
        return (text.to_owned(), FAMILY);
    }
    if covered(wide_font(), text) {
        return (text.to_owned(), WIDE_FAMILY);
    }
    let kept = if covered(regular, id) { id } else { text };
    let boxed = |character| match regular {
        Some(font) if has(font, character) => character,
        _ => MISSING,
    };
    (kept.chars().map(boxed).collect(), FAMILY)
}

/// Width of `text` at `em` units, characters foreign to DejaVu counted as one em.
pub(super) fn width(text: &str, em: f64) -> f64 {
    let Some(font) = fonts().regular.as_ref() else {
        return em * text.chars().count() as f64;
    };
    let scaled = font.as_scaled((em * SIZE_PER_EM) as f32);
    text.chars()
        .map(|character| {
            if has(font, character) {
                f64::from(scaled.h_advance(font.glyph_id(character)))
            } else {
                em
            }
        })
        .sum()
}

/// Breaks `text` into at most `lines` lines no wider than `limit`: at words, hyphens and underscores first,
/// inside a word where it alone is too wide; what does not fit ends in `…`.
pub(super) fn wrap(text: &str, em: f64, limit: f64, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = vec![String::new()];
    let mut cut = false;
    for piece in pieces(text, em, limit) {
        let last = wrapped.len() - 1;
        let joined = format!("{}{piece}", wrapped[last]);
        if width(joined.trim_end(), em) <= limit || wrapped[last].is_empty() {
            wrapped[last] = joined;
        } else if wrapped.len() < lines {
            wrapped.push(piece.trim_start().to_owned());
        } else {
            cut = true;
            break;
        }
    }
    let last = wrapped.len() - 1;
    if cut {
        wrapped[last] = ellipsis(&wrapped[last], em, limit);
    }
    wrapped
        .into_iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Breakable pieces, none wider than `limit`.
fn pieces(text: &str, em: f64, limit: f64) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let words = text
        .split_word_bounds()
        .flat_map(|word| word.split_inclusive('_'));
    for word in words {
        if width(word, em) <= limit {
            pieces.push(word.to_owned());
            continue;
        }
        let mut piece = String::new();
        for grapheme in word.graphemes(true) {
            if !piece.is_empty() && width(&format!("{piece}{grapheme}"), em) > limit {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.push_str(grapheme);
        }
        pieces.push(piece);
    }
    pieces
}

fn ellipsis(line: &str, em: f64, limit: f64) -> String {
    let mut graphemes: Vec<&str> = line.trim_end().graphemes(true).collect();
    while !graphemes.is_empty() && width(&format!("{}…", graphemes.concat()), em) > limit {
        graphemes.pop();
    }
    format!("{}…", graphemes.concat().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_every_line_within_the_limit() {
        for text in [
            "single_object",
            "a very long group name with many words in it",
            "Donaudampfschifffahrtsgesellschaftskapitän",
            "多语言文本渲染能力评测",
            "",
        ] {
            for limit in [60.0, 140.0, 400.0] {
                let lines = wrap(text, 20.0, limit, 2);
                assert!(lines.len() <= 2, "{lines:?}");
                for line in &lines {
                    assert!(width(line, 20.0) <= limit, "{line:?} is wider than {limit}");
                }
            }
        }
    }

    #[test]
    fn text_that_fits_is_left_whole_and_cut_text_says_so() {
        assert_eq!(wrap("two words", 20.0, 1000.0, 1), ["two words"]);
        assert_eq!(wrap("color_attr", 20.0, 90.0, 2), ["color_", "attr"]);
        let cut = wrap("one two three four five six", 20.0, 120.0, 1);
        assert!(cut[0].ends_with('…'), "{cut:?}");
    }

    #[test]
    fn characters_without_a_glyph_are_never_drawn_as_such() {
        let (text, family) = drawable("caf\u{e9}", "id");
        assert_eq!((text.as_str(), family), ("café", FAMILY));
        // A private-use character is in no font.
        let (text, _) = drawable("a\u{f0000}b", "plain-id");
        assert_eq!(text, "plain-id");
        let (text, _) = drawable("a\u{f0000}b", "a\u{f0000}b");
        assert_eq!(text, "a□b");
    }
}
