//! The edits of pages, in words and as the page after the edit.

use super::language::Language;
use super::layouts::{COLORS, thing_at};
use crate::page::{Area, Kind, Page, Thing};
use crate::world::random::Random;

/// The kinds of edits.
pub(super) const KINDS: [&str; 5] = ["recolor", "replace", "remove", "add", "retype"];

/// A page after an edit.
pub(super) struct Edited {
    pub prompt: String,
    pub page: Page,
    /// The line that gets other words, if the edit is of text.
    pub line: Option<usize>,
}

/// An edit of a kind. Things of a page have different kinds, so that a word names one of them.
pub(super) fn sampled(
    kind: &str,
    (page, frame): (&Page, Area),
    language: &Language,
    random: &mut Random,
) -> Edited {
    let say = &language.edits;
    let mut after = page.clone();
    let mut line = None;
    let place = random.below(page.things.len().max(1));
    let words = match (kind, page.things.get(place).copied()) {
        ("recolor", Some(thing)) => {
            let (name, color) = other_color(thing, random);
            after.things[place].color = color;
            (say.recolor)((say.kind)(thing.kind), (say.color)(name))
        }
        ("replace", Some(thing)) => {
            let kind = new_kind(page, random);
            after.things[place].kind = kind;
            (say.replace)((say.kind)(thing.kind), (say.kind)(kind))
        }
        ("remove", Some(thing)) => {
            after.things.remove(place);
            (say.remove)((say.kind)(thing.kind))
        }
        ("add", _) => {
            let free = page.things.len();
            let kind = new_kind(page, random);
            let (name, color) = random.pick(&COLORS);
            after.things.push(thing_at(frame, free, kind, color));
            (say.add)((say.color)(name), (say.kind)(kind))
        }
        _ => {
            let chosen = random.below(page.lines.len().max(1));
            line = Some(chosen);
            retype(&mut after, chosen, language, random)
        }
    };
    Edited {
        prompt: words + say.nothing_else,
        page: after,
        line,
    }
}

/// Another colour than the thing has.
fn other_color(thing: Thing, random: &mut Random) -> (&'static str, [u8; 3]) {
    let others: Vec<(&'static str, [u8; 3])> = COLORS
        .into_iter()
        .filter(|(_, color)| *color != thing.color)
        .collect();
    random.pick(&others)
}

/// A kind that no thing of the page has.
fn new_kind(page: &Page, random: &mut Random) -> Kind {
    let others: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| page.things.iter().all(|thing| thing.kind != *kind))
        .collect();
    random.pick(&others)
}

/// Gives a line another word, which is not longer than its text, and says so.
fn retype(page: &mut Page, place: usize, language: &Language, random: &mut Random) -> String {
    let Some(line) = page.lines.get_mut(place) else {
        return String::new();
    };
    let before = line.text.clone();
    let lower = before.to_lowercase();
    let others: Vec<&str> = language
        .words
        .iter()
        .copied()
        .filter(|word| word.len() <= before.len() && !lower.contains(*word))
        .collect();
    let word = if others.is_empty() {
        language.edits.new
    } else {
        random.pick(&others)
    };
    line.text = word.to_owned();
    (language.edits.retype)(&before, word)
}
