//! Which option a reply to a multiple-choice question chooses, and by which rule that was read.

use regex::Regex;
use std::sync::LazyLock;

/// More options than there are letters cannot be asked.
pub const MOST_OPTIONS: usize = 26;

/// What was read out of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// 0-based among the options; None when nothing, or more than one, can be taken for the choice.
    pub option: Option<usize>,
    /// Which rule read it, or why nothing was read.
    pub how: String,
}

/// The letter of an option.
pub fn letter(option: usize) -> char {
    u8::try_from(option)
        .ok()
        .and_then(|option| b'A'.checked_add(option))
        .map_or('?', char::from)
}

/// Reads the choice. Rules are tried in this order; the first that finds anything decides, and where it finds several
/// options the reply is ambiguous and chooses none. No later, weaker rule is tried then, and nothing is guessed.
///
/// 1. The reply is a letter (any case, punctuation around it aside).
/// 2. A letter at the start, with one of `) . : ,` or the line's end behind it, unless the reply recites all options so.
/// 3. A letter stated as the answer (`the answer is (B)`, `"answer": "B"`, `答案是B`).
/// 4. A letter called option or choice (`option B`, `选B`).
/// 5. The reply is the text of an option.
/// 6. A letter in round brackets.
/// 7. A capital letter as a word of its own; `A` and `I` before a word in small letters, other than `or` and `and`, are
///    words, not letters.
/// 8. The text of an option inside the reply; of two such texts, one within the other, the longer counts.
///
/// Full-width letters and marks are read as ASCII.
pub fn read(reply: &str, options: &[String]) -> Choice {
    let reply: String = reply.chars().map(narrow).collect();
    if reply.trim().is_empty() {
        return nothing("the reply is empty");
    }
    let rules: [(&str, Rule); 8] = [
        ("the reply is a letter", only_letter),
        ("option letter at the start", letter_at_start),
        ("letter stated as the answer", stated_answer),
        ("letter called an option", called_option),
        ("the reply is an option's text", only_text),
        ("letter in brackets", bracketed),
        ("letter as a word of its own", lone_letter),
        ("option text contained", contained_text),
    ];
    for (name, rule) in rules {
        let mut found = rule(&reply, options);
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [] => {}
            [one] => {
                return Choice {
                    option: Some(*one),
                    how: name.to_owned(),
                };
            }
            several => {
                let letters: Vec<String> = several.iter().map(|o| letter(*o).into()).collect();
                return nothing(&format!("ambiguous: {name}, {}", letters.join(" and ")));
            }
        }
    }
    nothing("no option can be read in it")
}

type Rule = fn(&str, &[String]) -> Vec<usize>;

fn nothing(why: &str) -> Choice {
    Choice {
        option: None,
        how: why.to_owned(),
    }
}

macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($text).ok());
    };
}

pattern!(
    ONLY,
    r"^\W*(?:(?i:option|choice|answer)\b\W*)?([A-Za-z])\W*$"
);
pattern!(START, r"^[^\w\n]*([A-Z])[ \t]*(?:[).:,、]|\n|$)");
pattern!(MARKED, r"(?:^|[^\w])([A-Z])[).:]");
pattern!(
    ANSWER,
    r#"(?:(?i:\banswer)["'*_:\s]*(?i:(?:is|would be|should be)\b)?|答案[是为]?)["'*_:\s(\[{]*([A-Z])\b"#
);
pattern!(
    OPTION,
    r#"(?:(?i:\b(?:option|choice))["'*_:\s]*(?i:is\b)?|选择?项?)["'*_:\s(\[{]*([A-Z])\b"#
);
pattern!(BRACKETED, r"\(([A-Z])\)");
pattern!(LONE, r"\b([A-Z])\b");

/// The options whose letters the pattern's group finds.
fn letters(pattern: &Option<Regex>, reply: &str, options: &[String]) -> Vec<usize> {
    let matches = pattern
        .iter()
        .flat_map(|pattern| pattern.captures_iter(reply));
    let texts = matches.filter_map(|found| found.get(1));
    texts
        .filter_map(|text| option_of(text.as_str(), options))
        .collect()
}

fn option_of(letter: &str, options: &[String]) -> Option<usize> {
    let byte = letter.as_bytes().first()?.to_ascii_uppercase();
    let option = usize::from(byte.checked_sub(b'A')?);
    (option < options.len()).then_some(option)
}

fn only_letter(reply: &str, options: &[String]) -> Vec<usize> {
    letters(&ONLY, reply, options)
}

fn letter_at_start(reply: &str, options: &[String]) -> Vec<usize> {
    let mut marked = letters(&MARKED, reply, options);
    marked.sort_unstable();
    marked.dedup();
    match options.len() > 1 && marked.len() == options.len() {
        true => Vec::new(),
        false => letters(&START, reply, options),
    }
}

fn stated_answer(reply: &str, options: &[String]) -> Vec<usize> {
    letters(&ANSWER, reply, options)
}

fn called_option(reply: &str, options: &[String]) -> Vec<usize> {
    letters(&OPTION, reply, options)
}

fn only_text(reply: &str, options: &[String]) -> Vec<usize> {
    let said = comparable(reply);
    let equal = options
        .iter()
        .enumerate()
        .filter(|(_, option)| comparable(option) == said);
    equal.map(|(at, _)| at).collect()
}

fn bracketed(reply: &str, options: &[String]) -> Vec<usize> {
    letters(&BRACKETED, reply, options)
}

fn lone_letter(reply: &str, options: &[String]) -> Vec<usize> {
    let matches = LONE.iter().flat_map(|pattern| pattern.find_iter(reply));
    let chosen = matches.filter(|found| {
        let after = &reply[found.end()..];
        let apart = after.starts_with(char::is_whitespace);
        let next = after.split_whitespace().next().unwrap_or_default();
        let word = apart && next.starts_with(char::is_lowercase) && !["or", "and"].contains(&next);
        !(word && matches!(found.as_str(), "A" | "I"))
    });
    chosen
        .filter_map(|found| option_of(found.as_str(), options))
        .collect()
}

fn contained_text(reply: &str, options: &[String]) -> Vec<usize> {
    let said = comparable(reply);
    let texts: Vec<String> = options.iter().map(|option| comparable(option)).collect();
    let there: Vec<usize> = (0..texts.len())
        .filter(|&at| stands_in(&said, &texts[at]))
        .collect();
    let longer = |at: usize, other: usize| {
        texts[other].len() > texts[at].len() && texts[other].contains(&texts[at])
    };
    there
        .iter()
        .copied()
        .filter(|&at| !there.iter().any(|&other| longer(at, other)))
        .collect()
}

/// Whether `text` occurs in `said` and breaks no word or number of ASCII there.
fn stands_in(said: &str, text: &str) -> bool {
    let alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let whole = |start: usize| {
        let (before, after) = (&said[..start], &said[start + text.len()..]);
        let breaks_before =
            alphanumeric(text.chars().next()) && alphanumeric(before.chars().next_back());
        let breaks_after =
            alphanumeric(text.chars().next_back()) && alphanumeric(after.chars().next());
        !breaks_before && !breaks_after
    };
    !text.is_empty() && said.match_indices(text).any(|(start, _)| whole(start))
}

/// Small letters, single blanks, no punctuation at the ends.
fn comparable(text: &str) -> String {
    let narrow: String = text.chars().map(narrow).collect();
    let lower = narrow.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let joined = words.join(" ");
    joined
        .trim_matches(|c: char| c.is_whitespace() || ".,;:!?\"'`*()[]{}。、".contains(c))
        .to_owned()
}

/// Full-width forms as ASCII.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_reply_is_read_without_panic(
            reply in "\\PC{0,40}|[A-Ea-e ().:\n字Ａ]{0,40}",
            options in prop::collection::vec("\\PC{0,6}|[a-b ]{0,3}", 0..6),
        ) {
            let choice = read(&reply, &options);
            prop_assert!(choice.option.is_none_or(|option| option < options.len()));
        }

        #[test]
        fn a_letter_in_the_usual_forms_is_read(at in 0usize..4, form in prop::sample::select(vec![
            "{}", "({})", "{}.", "{}) yes", "Answer: {}", "The answer is {}.", "**{}**", "{\"answer\": \"{}\"}",
        ])) {
            let options = ["oak", "elm", "ash", "fir"].map(str::to_owned);
            let reply = form.replacen("{}", &letter(at).to_string(), 1);
            prop_assert_eq!(read(&reply, &options).option, Some(at), "{}", reply);
        }
    }
}
