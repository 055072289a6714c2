//! The answer normalisation of the VQA challenges (Antol et al., ICCV 2015; TextVQA: Singh et al., CVPR
//! 2019), as their evaluation scripts do it, including their oddities.

use crate::python::whitespace::{strip, words};
use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The marks that are deleted or replaced by blanks, in the order of the scripts.
const PUNCTUATION: [char; 21] = [
    ';', '/', '[', ']', '"', '{', '}', '(', ')', '=', '+', '\\', '_', '-', '>', '<', '@', '`', ',',
    '?', '!',
];
const ARTICLES: [&str; 3] = ["a", "an", "the"];
const NUMBERS: [&str; 11] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
];
/// The largest number of full stops that the scripts delete. They pass a flag in place of this limit.
const FULL_STOPS: usize = 32;
/// Contractions that are recognised with one of their apostrophes missing. The scripts write those of "I"
/// with a capital, which no lower-cased word matches.
const CONTRACTIONS: &str = "\
    'ow's'at 'twas ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't \
    he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't mightn't've must've \
    mustn't needn't not've o'clock oughtn't shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll \
    somebody's someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd \
    there'd've there're there's they'd they'd've they'll they're they've wasn't we'd've we've weren't what'll what're \
    what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've \
    wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've";

static SPELLED: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
    let mut spelled = HashMap::from([("somebody'd".to_owned(), "somebodyd")]);
    for whole in CONTRACTIONS.split(' ') {
        for (at, _) in whole.match_indices('\'') {
            let mut without = whole.to_owned();
            without.remove(at);
            spelled.insert(without, whole);
        }
    }
    spelled
});

static COMMA_IN_NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d,\d").ok());

/// Removes marks. A mark that is next to a blank anywhere is deleted everywhere. Any other mark becomes a
/// blank. If a number contains a comma, all marks are deleted. Then full stops are deleted unless a digit
/// follows.
pub fn punctuation(text: &str) -> String {
    let in_number = COMMA_IN_NUMBER
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text));
    let mut cleaned = text.to_owned();
    for mark in PUNCTUATION {
        let beside_blank = text.contains(&format!("{mark} ")) || text.contains(&format!(" {mark}"));
        let instead = if beside_blank || in_number { "" } else { " " };
        cleaned = cleaned.replace(mark, instead);
    }
    without_full_stops(&cleaned)
}

fn without_full_stops(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut deleted = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let before_digit = characters.peek().is_some_and(|next| next.is_numeric());
        if character == '.' && !before_digit && deleted < FULL_STOPS {
            deleted += 1;
        } else {
            kept.push(character);
        }
    }
    kept
}

/// Lower case, number words up to ten as digits, no articles, contractions with all their apostrophes, and
/// single blanks.
pub fn digits_and_articles(text: &str) -> String {
    let lower = text.to_lowercase();
    let kept: Vec<&str> = words(&lower)
        .map(number)
        .filter(|word| !ARTICLES.contains(word))
        .map(|word| SPELLED.get(word).copied().unwrap_or(word))
        .collect();
    kept.join(" ")
}

fn number(word: &str) -> &str {
    const DIGITS: [&str; 11] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    if word == "none" {
        return "0";
    }
    let place = NUMBERS.iter().position(|number| *number == word);
    place
        .and_then(|place| DIGITS.get(place))
        .copied()
        .unwrap_or(word)
}

/// TextVQA's normalisation, which is the same for replies and answers.
pub fn textvqa(text: &str) -> String {
    let lower = text.to_lowercase();
    let plain = lower
        .replace([',', '?'], "")
        .replace("'s", " 's")
        .replace(['\n', '\t'], " ");
    digits_and_articles(&punctuation(strip(&plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_beside_a_blank_is_deleted_everywhere() {
        assert_eq!(punctuation("a-b - c"), "ab  c");
        assert_eq!(punctuation("a-b c"), "a b c");
        assert_eq!(punctuation("1,000 a-b"), "1000 ab");
        assert_eq!(punctuation("3.5 m. long."), "3.5 m long");
    }

    #[test]
    fn contractions_are_known_with_one_apostrophe_missing() {
        for (given, whole) in [
            ("dont", "don't"),
            ("couldnt've", "couldn't've"),
            ("couldn'tve", "couldn't've"),
            ("yall'd've", "y'all'd've"),
            ("couldntve", "couldntve"),
            ("somebody'd", "somebodyd"),
            ("lets shes wed id", "lets shes wed id"),
        ] {
            assert_eq!(digits_and_articles(given), whole);
        }
    }
}
