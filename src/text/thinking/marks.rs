//! Thoughts between marks such as `<think>…</think>`.

use regex::{Captures, Regex};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// The parts of a reply outside and inside the marks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces<'a> {
    pub words: Cow<'a, str>,
    pub thoughts: Vec<&'a str>,
    /// Whether the last thought has no end.
    pub open: bool,
}

/// A mark in a reply.
struct Mark {
    /// The kind in lower case. Marks of one kind open and close each other.
    kind: String,
    opens: bool,
    place: Range<usize>,
}

/// Splits a reply at its marks.
/// A mark of a kind that is already open is a word of the thought. A mark that closes the outer kind, or a
/// kind that is not open, closes the thought. A closing mark without an open thought makes everything before
/// it a thought.
///
pub(super) fn split_marks(reply: &str) -> Pieces<'_> {
    let marks = marks(reply);
    if marks.is_empty() {
        return Pieces {
            words: Cow::Borrowed(reply),
            ..Pieces::default()
        };
    }
    let (mut outside, mut thoughts): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut open, mut from): (Vec<String>, usize) = (Vec::new(), 0);
    for mark in marks {
        let Range { start, end } = mark.place;
        let known = open.iter().position(|kind| *kind == mark.kind);
        match (mark.opens, &open[..], known) {
            (true, [], _) => {
                outside.push(&reply[from..start]);
                from = end;
                open.push(mark.kind);
            }
            (true, _, None) => open.push(mark.kind),
            (true, _, Some(_)) => {}
            (false, [], _) => {
                outside.clear();
                thoughts = vec![&reply[..start]];
                from = end;
            }
            (false, _, Some(inner @ 1..)) => open.truncate(inner),
            (false, _, _) => {
                thoughts.push(&reply[from..start]);
                open.clear();
                from = end;
            }
        }
    }
    if open.is_empty() {
        outside.push(&reply[from..])
    } else {
        thoughts.push(&reply[from..])
    }
    Pieces {
        words: joined(&outside),
        thoughts,
        open: !open.is_empty(),
    }
}

/// The pieces around thoughts as one text.
fn joined<'a>(pieces: &[&'a str]) -> Cow<'a, str> {
    let ends = pieces.last().is_some_and(|last| !last.trim().is_empty());
    let said: Vec<&str> = pieces
        .iter()
        .copied()
        .filter(|piece| !piece.trim().is_empty())
        .collect();
    if let [only] = said[..] {
        return Cow::Borrowed(if ends { only.trim_start() } else { only.trim() });
    }
    let mut text = String::new();
    for piece in said {
        let apart = text.ends_with(char::is_whitespace) || piece.starts_with(char::is_whitespace);
        if !text.is_empty() && !apart {
            text.push(' ');
        }
        text.push_str(piece);
    }
    let text = text.trim_start();
    Cow::Owned(if ends { text } else { text.trim_end() }.to_owned())
}

/// All marks of a reply that are not words of a sentence, in order.
fn marks(reply: &str) -> Vec<Mark> {
    static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let name = "think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|inner_monologue|chain_of_thought|cot|rationale|analysis";
        Regex::new(&format!(
            r"(?ix)
            <[|｜](?P<bar>begin|start|end)(?:[_▁]of)?[_▁]?(?P<bar_name>{name})[|｜]>
            | <[|｜]?(?P<tag_end>/)?\s*(?P<tag>(?:[a-z]{{1,12}}[:_]|ant)?(?:{name})(?:_[a-z0-9_]+)?)(?:\s[^<>\n]*)?/?[|｜]?>
            | \[(?P<square_end>/|end\s)?(?:start\s)?(?P<square>{name})\]
            | ◁(?P<triangle_end>/)?(?P<triangle>{name})▷
            | (?P<unused><unused\d+>)(?P<unused_open>\s*thought\b)?
            | (?P<channel><\|channel>\s*(?:thought|thinking|analysis)\b) | (?P<channel_end><channel\|>)
            | <\|im_start\|>\s*(?:(?P<turn>think\b)|(?P<turn_end>(?:answer|assistant)\b))"
        ))
        .ok()
    });
    if !reply.contains(['<', '[', '◁']) {
        return Vec::new();
    }
    let found = MARK.iter().flat_map(|mark| mark.captures_iter(reply));
    let all: Vec<Mark> = found
        .filter_map(|found| mark(&found))
        .filter(|mark| !is_quoted(reply, &mark.place))
        .collect();
    without_mentions(reply, all)
}

fn mark(found: &Captures<'_>) -> Option<Mark> {
    let text = |name: &str| found.name(name).map(|part| part.as_str().to_lowercase());
    let has = |name: &str| found.name(name).is_some();
    let place = found.get(0)?.range();
    if found.get(0)?.as_str().ends_with("/>") {
        return None;
    }
    let (kind, opens) = if let Some(tag) = text("tag") {
        (tag, !has("tag_end"))
    } else if let Some(name) = text("bar_name") {
        (format!("|{name}"), text("bar").as_deref() != Some("end"))
    } else if let Some(name) = text("square") {
        (format!("[{name}"), !has("square_end"))
    } else if let Some(name) = text("triangle") {
        (format!("◁{name}"), !has("triangle_end"))
    } else if has("unused") {
        ("unused".to_owned(), has("unused_open"))
    } else if has("turn") || has("turn_end") {
        ("turn".to_owned(), has("turn"))
    } else {
        ("channel".to_owned(), has("channel"))
    };
    Some(Mark { kind, opens, place })
}

/// Whether quotation marks or backticks directly enclose a mark.
pub(super) fn is_quoted(reply: &str, place: &Range<usize>) -> bool {
    const PAIRS: [(char, char); 7] = [
        ('`', '`'),
        ('"', '"'),
        ('\'', '\''),
        ('“', '”'),
        ('‘', '’'),
        ('«', '»'),
        ('「', '」'),
    ];
    let before = reply[..place.start].chars().next_back();
    let behind = reply[place.end..].chars().next();
    let around = before.zip(behind);
    around.is_some_and(|around| PAIRS.contains(&around))
}

/// Leaves out marks that a sentence only mentions. An opening mark is mentioned if it is inside a line that
/// continues with punctuation or a small word and is never closed, or if only one small word precedes its end
/// (`<think> and </think>`).
fn without_mentions(reply: &str, marks: Vec<Mark>) -> Vec<Mark> {
    let mut mentioned: Vec<usize> = Vec::new();
    for (at, mark) in marks.iter().enumerate().filter(|(_, mark)| mark.opens) {
        let line = reply[..mark.place.start]
            .rsplit('\n')
            .next()
            .unwrap_or_default();
        if line.trim().is_empty() || mentioned.contains(&at) {
            continue;
        }
        let end = (at + 1..marks.len())
            .find(|&other| !marks[other].opens && marks[other].kind == mark.kind);
        match end {
            Some(end) if is_small_word(&reply[mark.place.end..marks[end].place.start]) => {
                mentioned.extend([at, end])
            }
            None if goes_on(&reply[mark.place.end..]) => mentioned.push(at),
            _ => {}
        }
    }
    let kept = marks
        .into_iter()
        .enumerate()
        .filter(|(at, _)| !mentioned.contains(at));
    kept.map(|(_, mark)| mark).collect()
}

/// Whether a text is a small word such as ` and `.
fn is_small_word(text: &str) -> bool {
    let word = text
        .strip_prefix(' ')
        .and_then(|text| text.strip_suffix(' '));
    word.is_some_and(|word| !word.is_empty() && word.chars().all(char::is_lowercase))
}

/// Whether a text is the end of a short reply, such as `. And so on` or ` is a mark`, in contrast to a
/// thought that was cut.
fn goes_on(text: &str) -> bool {
    const SHORT: usize = 160;
    if text.len() > SHORT || text.contains('\n') {
        return false;
    }
    let mut letters = text.chars();
    match letters.next() {
        Some('.' | ',' | ';' | ':' | '!' | '?' | ')') => true,
        Some(' ') => letters.next().is_some_and(char::is_lowercase),
        _ => false,
    }
}
