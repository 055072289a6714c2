//! Texts in quotation marks within a prompt.

use super::classes::is_ideograph;

/// Marks that open and close a quotation. A straight mark closes what it opens. 《 》 are not here: they mark
/// titles.
const PAIRS: [(char, char); 7] = [
    ('“', '”'),
    ('‘', '’'),
    ('«', '»'),
    ('「', '」'),
    ('『', '』'),
    ('"', '"'),
    ('\'', '\''),
];

/// The texts in quotation marks, in order. Each is the shortest text between two marks of a pair, with at
/// least one letter, digit or ideograph. The straight `'` opens only at the start or after a blank. `'` and
/// `’` close only where no letter follows them, so an apostrophe is neither. An ideograph is no letter here.
pub fn quoted_spans(prompt: &str) -> Vec<&str> {
    spans(prompt, &PAIRS)
}

/// The texts between straight double marks alone, of any content.
pub(in crate::grade) fn straight_spans(prompt: &str) -> Vec<&str> {
    let pieces: Vec<&str> = prompt.split('"').collect();
    // Every second piece is between two marks; what follows the last mark is not.
    let inner = pieces.iter().enumerate().take(pieces.len() - 1);
    inner
        .filter(|(at, _)| at % 2 == 1)
        .map(|(_, text)| *text)
        .collect()
}

fn spans<'a>(prompt: &'a str, pairs: &[(char, char)]) -> Vec<&'a str> {
    let characters: Vec<(usize, char)> = prompt.char_indices().collect();
    let mut found = Vec::new();
    // Marks that nothing closes from here on. A prompt of many such marks is not searched once for each.
    let mut open_ended = Vec::new();
    let mut at = 0;
    while let Some(&(_, mark)) = characters.get(at) {
        let pair = pairs.iter().find(|(open, _)| *open == mark);
        let opened = pair.filter(|_| opens(&characters, at) && !open_ended.contains(&mark));
        let Some(pair) = opened else {
            at += 1;
            continue;
        };
        let Some((start, end)) = closed(&characters, at, *pair) else {
            open_ended.push(mark);
            at += 1;
            continue;
        };
        let text = &prompt[characters[start].0 + characters[start].1.len_utf8()..characters[end].0];
        if text.chars().any(char::is_alphanumeric) {
            found.push(text);
        }
        at = end + 1;
    }
    found
}

/// Whether the mark at a place can open a quotation.
fn opens(characters: &[(usize, char)], at: usize) -> bool {
    characters[at].1 != '\'' || at == 0 || characters[at - 1].1.is_whitespace()
}

/// Where the shortest quotation begins and ends that the mark at `start`, or a later mark of its kind, opens.
fn closed(
    characters: &[(usize, char)],
    mut start: usize,
    (open, close): (char, char),
) -> Option<(usize, usize)> {
    for at in start + 1..characters.len() {
        let mark = characters[at].1;
        let apostrophe = matches!(mark, '\'' | '’') && letter_follows(characters, at);
        let closes = mark == close && !apostrophe;
        if closes {
            return Some((start, at));
        }
        if mark == open && opens(characters, at) {
            start = at;
        }
    }
    None
}

fn letter_follows(characters: &[(usize, char)], at: usize) -> bool {
    characters
        .get(at + 1)
        .is_some_and(|(_, next)| next.is_alphabetic() && !is_ideograph(*next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_marks_is_found_in_order() {
        let prompt = "a “curly” ‘single’ «guillemets» 「角」 『二重』 \"straight\" 'plain' one";
        let all = [
            "curly",
            "single",
            "guillemets",
            "角",
            "二重",
            "straight",
            "plain",
        ];
        assert_eq!(quoted_spans(prompt), all);
        assert_eq!(
            quoted_spans("招牌写着“每日新鲜”，旁边是\"OPEN\""),
            ["每日新鲜", "OPEN"]
        );
    }

    #[test]
    fn titles_apostrophes_and_empty_marks_are_not_texts() {
        assert_eq!(quoted_spans("《红楼梦》的封面"), [""; 0]);
        assert_eq!(quoted_spans("the dog's bone and the cats' bowl"), [""; 0]);
        assert_eq!(quoted_spans("rock 'n' roll isn't dead"), ["n"]);
        assert_eq!(quoted_spans("a \"\" b “…” c ' ' d"), [""; 0]);
        assert_eq!(quoted_spans("never \"closed"), [""; 0]);
        assert_eq!(quoted_spans(""), [""; 0]);
    }

    #[test]
    fn the_straight_single_mark_opens_after_a_blank_and_closes_before_no_letter() {
        assert_eq!(quoted_spans("'It's open', it says"), ["It's open"]);
        assert_eq!(quoted_spans("x'no' but 'yes'"), ["yes"]);
        assert_eq!(quoted_spans("a sign ('no') here"), [""; 0]);
    }

    #[test]
    fn an_apostrophe_closes_nothing_and_an_ideograph_is_no_letter() {
        assert_eq!(quoted_spans("a sign: ‘Don’t Walk’, in red"), ["Don’t Walk"]);
        assert_eq!(quoted_spans("写着 'OPEN'的招牌"), ["OPEN"]);
        assert_eq!(quoted_spans("写着‘营业中’的招牌"), ["营业中"]);
        assert_eq!(quoted_spans("表示は 'カフェ'です"), ["カフェ"]);
    }

    #[test]
    fn many_marks_that_nothing_closes_are_read_quickly() {
        let prompt = "‘a".repeat(200_000) + " \"b\"";
        assert_eq!(quoted_spans(&prompt), ["b"]);
    }

    #[test]
    fn the_shortest_text_counts() {
        assert_eq!(quoted_spans("“a “b” c”"), ["b"]);
        assert_eq!(quoted_spans("\"one\" and \"two\""), ["one", "two"]);
        assert_eq!(quoted_spans("“say 'hello' now”"), ["say 'hello' now"]);
    }

    #[test]
    fn straight_double_marks_pair_in_order() {
        assert_eq!(straight_spans("a \"b\" c \"\" d \"e"), ["b", ""]);
        assert_eq!(straight_spans("none"), [""; 0]);
        assert_eq!(straight_spans("one \" mark"), [""; 0]);
    }
}
