//! Chinese word segmentation as the default of Python's jieba 0.42.1 (`jieba.lcut`): a dictionary and a
//! hidden Markov model, from the crate `jieba-rs`.
//!
//! The crate differs from Python's jieba in two ways, which this module undoes. It segments the ideographs of
//! the Unicode extensions too, and it keeps Latin words and numbers joined by `.`, `_` or `-` in one piece.

use jieba_rs::Jieba;
use regex::Regex;
use std::sync::LazyLock;

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// A Latin word or number of Python's jieba, unless the dictionary has another entry.
#[expect(clippy::unwrap_used, reason = "a pattern written here")]
static LATIN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[a-zA-Z0-9]+(?:\.[0-9]+)?%?").unwrap());

/// The tokens of a text. Joined, they are the text.
pub fn segment(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (words, other) = rest.split_at(end);
        for token in JIEBA.cut(words, true) {
            split_joined(token.word, &mut tokens);
        }
        let end = other.find(is_word).unwrap_or(other.len());
        let (other, next) = other.split_at(end);
        characters(other, &mut tokens);
        rest = next;
    }
    tokens
}

/// Whether Python's jieba looks up a character and applies its model to it. All other characters are tokens
/// of their own.
fn is_word(c: char) -> bool {
    matches!(
        c,
        '\u{4e00}'..='\u{9fd5}' | '+' | '#' | '&' | '.' | '_' | '%' | '-'
    ) || c.is_ascii_alphanumeric()
}

/// Splits a Latin token at its joints. No word of the dictionary has one.
fn split_joined<'a>(token: &'a str, tokens: &mut Vec<&'a str>) {
    let joined =
        token.contains(['.', '_', '-']) && token.contains(|c: char| c.is_ascii_alphanumeric());
    if !joined {
        tokens.push(token);
        return;
    }
    let mut done = 0;
    for latin in LATIN.find_iter(token) {
        if done < latin.start() {
            tokens.push(&token[done..latin.start()]);
        }
        tokens.push(latin.as_str());
        done = latin.end();
    }
    if done < token.len() {
        tokens.push(&token[done..]);
    }
}

/// Every character as a token of its own, but CR LF as one.
fn characters<'a>(text: &'a str, tokens: &mut Vec<&'a str>) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("\r\n") {
            2
        } else {
            first.len_utf8()
        };
        let (token, next) = rest.split_at(length);
        tokens.push(token);
        rest = next;
    }
}
