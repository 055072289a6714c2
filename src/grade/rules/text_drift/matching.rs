//! Which line of the output is which line of the input.

use super::boxes::{self, Rect};
use crate::stats::assignment::cheapest;
use crate::text::distance::levenshtein;
use unicode_normalization::UnicodeNormalization;

/// The cost of a pair that is not allowed.
const NEVER: f64 = 1e6;
/// The smallest similarity of a pair, and that of texts of at most [`SHORT`] characters.
const ALIKE: f64 = 0.5;
const ALIKE_SHORT: f64 = 0.67;
const SHORT: usize = 3;
/// The overlap from which a pair is allowed with any text.
const SAME_PLACE: f64 = 0.5;
/// The similarity of a text with the joined texts of two lines, and the share of its box that they cover.
const JOINED: f64 = 0.9;
const COVERED: f64 = 0.8;

/// A line with its characters after NFKC, without white space.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub text: Vec<char>,
    pub bbox: Rect,
}

impl Line {
    pub(super) fn new(text: &str, bbox: Rect) -> Self {
        Self {
            text: comparable(text),
            bbox,
        }
    }
}

/// The characters after NFKC, without white space. Upper and lower case differ.
pub(super) fn comparable(text: &str) -> Vec<char> {
    text.nfkc().filter(|c| !c.is_whitespace()).collect()
}

/// 1 minus the edit distance over the length of the longer text.
pub(super) fn similarity(a: &[char], b: &[char]) -> f64 {
    let longer = a.len().max(b.len());
    if longer == 0 {
        return 1.0;
    }
    1.0 - levenshtein(a, b) as f64 / longer as f64
}

/// The line of the output for each line of the input. `diagonal` is that of the picture, in pixels.
pub(super) fn matched(source: &[Line], after: &[Line], diagonal: f64) -> Vec<Option<usize>> {
    let cost = |a: &Line, b: &Line| {
        let similar = similarity(&a.text, &b.text);
        let least = if a.text.len() <= SHORT {
            ALIKE_SHORT
        } else {
            ALIKE
        };
        if similar < least && boxes::iou(a.bbox, b.bbox) < SAME_PLACE {
            return NEVER;
        }
        let far = boxes::distance(boxes::centre(a.bbox), boxes::centre(b.bbox));
        0.7 * (1.0 - similar) + 0.3 * (far / (0.25 * diagonal)).min(1.0)
    };
    let costs: Vec<Vec<f64>> = source
        .iter()
        .map(|a| after.iter().map(|b| cost(a, b)).collect())
        .collect();
    let found = cheapest(&costs);
    let pairs = found.into_iter().zip(&costs);
    pairs
        .map(|(column, costs)| column.filter(|column| costs[*column] < NEVER))
        .collect()
}

/// Lines of which two together are one line of the other reading become one line.
pub(super) fn joined(lines: Vec<Line>, others: &[Line]) -> Vec<Line> {
    let mut lines = lines;
    for other in others {
        if let Some((first, second)) = halves(&lines, other) {
            let part = lines[second].clone();
            lines[first].text.extend(part.text);
            lines[first].bbox = boxes::around(lines[first].bbox, part.bbox);
            lines.remove(second);
        }
    }
    lines
}

/// Two lines that together are another line, in reading order. `None` if one line alone is like it.
fn halves(lines: &[Line], whole: &Line) -> Option<(usize, usize)> {
    let alone = |line: &Line| similarity(&line.text, &whole.text) >= JOINED;
    if lines.iter().any(alone) {
        return None;
    }
    let part = |line: &Line| boxes::intersection(line.bbox, whole.bbox);
    let near: Vec<usize> = (0..lines.len())
        .filter(|at| part(&lines[*at]) > 0.0)
        .collect();
    let pairs = near
        .iter()
        .flat_map(|first| near.iter().map(move |second| (*first, *second)));
    pairs
        .filter(|(first, second)| first != second)
        .find(|(first, second)| {
            let (a, b) = (&lines[*first], &lines[*second]);
            let text = [&a.text[..], &b.text[..]].concat();
            let covered = part(a) + part(b) >= COVERED * boxes::area(whole.bbox);
            covered && similarity(&text, &whole.text) >= JOINED
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, left: f64, top: f64, width: f64) -> Line {
        Line::new(text, [left, top, left + width, top + 20.0])
    }

    #[test]
    fn each_line_finds_itself_although_all_moved() {
        let source = [
            line("Hello", 10.0, 10.0, 80.0),
            line("World", 10.0, 50.0, 80.0),
        ];
        let after = [
            line("World", 30.0, 90.0, 80.0),
            line("Hello", 30.0, 50.0, 80.0),
        ];
        assert_eq!(matched(&source, &after, 500.0), [Some(1), Some(0)]);
    }

    #[test]
    fn another_text_is_a_match_only_in_the_same_place() {
        let source = [line("Hello", 10.0, 10.0, 80.0)];
        assert_eq!(
            matched(&source, &[line("QXVZK", 12.0, 10.0, 80.0)], 500.0),
            [Some(0)]
        );
        assert_eq!(
            matched(&source, &[line("QXVZK", 12.0, 90.0, 80.0)], 500.0),
            [None]
        );
        assert_eq!(matched(&source, &[], 500.0), [None]);
    }

    #[test]
    fn short_texts_must_be_more_alike() {
        // One of three characters is another: 0.667 is less than 0.67.
        let source = [line("CAT", 10.0, 10.0, 40.0)];
        assert_eq!(
            matched(&source, &[line("CAR", 10.0, 90.0, 40.0)], 500.0),
            [None]
        );
        let source = [line("CATS", 10.0, 10.0, 40.0)];
        assert_eq!(
            matched(&source, &[line("CARS", 10.0, 90.0, 40.0)], 500.0),
            [Some(0)]
        );
    }

    #[test]
    fn spaces_and_wide_letters_do_not_count_but_case_does() {
        assert_eq!(comparable(" Ａ b\u{3000}c"), ['A', 'b', 'c']);
        assert_eq!(similarity(&comparable("ab"), &comparable("aB")), 0.5);
        assert_eq!(similarity(&[], &[]), 1.0);
    }

    #[test]
    fn a_split_line_is_one_line() {
        let whole = [line("GRAND OPENING", 10.0, 10.0, 200.0)];
        let parts = vec![
            line("OPENING", 105.0, 10.0, 105.0),
            line("GRAND", 10.0, 10.0, 90.0),
            line("today", 10.0, 60.0, 60.0),
        ];
        let after = joined(parts.clone(), &whole);
        assert_eq!(after.len(), 2);
        let place = matched(&whole, &after, 500.0)[0].unwrap();
        assert_eq!(after[place].text, whole[0].text);
        assert_eq!(after[place].bbox, [10.0, 10.0, 210.0, 30.0]);
        // A whole line beside them is the better match.
        let with_whole = [parts, whole.to_vec()].concat();
        assert_eq!(joined(with_whole.clone(), &whole), with_whole);
    }
}
