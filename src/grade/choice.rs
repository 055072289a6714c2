//! Which option a reply to a multiple-choice question chooses, and by which rule that was read.

mod analysis;
mod leads;
mod letter;
mod statement;

use letter::{is_alone, is_article, is_name, is_ruled_out, is_set_against, pattern};
use regex::Regex;
use std::ops::Range;

/// More options than there are letters cannot be asked.
pub(super) const MOST_OPTIONS: usize = 26;

/// What was read out of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// 0-based among the options. `None` if nothing, or more than one, can be taken for the choice.
    pub option: Option<usize>,
    /// Which rule read it, or why nothing was read.
    pub how: String,
}

/// The letter of an option.
pub(super) fn letter(option: usize) -> char {
    u8::try_from(option)
        .ok()
        .and_then(|option| b'A'.checked_add(option))
        .map_or('?', char::from)
}

/// Reads the choice. Rules are tried in this order; the first that finds anything decides, and where it finds
/// several options the reply is ambiguous and chooses none. No later, weaker rule is tried then, and nothing
/// is guessed.
///
/// 1. The reply is a letter (any case, punctuation around it aside).
/// 2. A stated answer, as [`statement::stated`] says: `the answer is (B)`, `"answer": "B"`, `\boxed{B}`, `it
///    must be B`, `B is correct`, `答案是B`, a last line with a letter alone, and the same with an option's
///    whole text for the letter. A denied or supposed answer is none. Of several that differ the last counts
///    if it is clearly the last word.
/// 3. The only option that an analysis of several accepts (`A: no. B: yes.`).
/// 4. A letter at the start, with one of `) . : ,` or the line's end behind it, unless the reply recites all
///    options so, or rules that one out.
/// 5. A letter behind the word `answer`.
/// 6. A letter called option or choice (`option B`, `选项B`) that is not ruled out.
/// 7. The reply is the text of an option.
/// 8. The only letter in bold.
/// 9. A letter in round brackets.
/// 10. A capital letter as a word of its own; `A` and `I` before a word other than `or` and `and` are words,
///     not letters. Of `B rather than A`, and `A is wrong, B`, the letter that is ruled out does not count;
///     of `B, not A` both do.
/// 11. The text of an option inside the reply; of two such texts, one within the other, the longer counts.
///
/// A letter stands alone beside characters of a script without capitals, such as Chinese; it does not in
/// `A4`, `X-ray` and `A+`, nor in names such as `vitamin B`, `Plan B`, `A级`. Full-width letters and marks are
/// read as ASCII. Where the first line is a letter alone, a question that is made up behind it does not
/// count.
pub(super) fn read(reply: &str, options: &[String]) -> Choice {
    let reply: String = reply.chars().map(narrow).collect();
    let reply = before_another_question(&reply);
    if reply.trim().is_empty() {
        return nothing("the reply is empty");
    }
    let rules: [(&str, Rule); 11] = [
        ("the reply is a letter", only_letter),
        ("stated answer", statement::stated),
        ("only option that the analysis accepts", analysis::accepted),
        ("option letter at the start", analysis::letter_at_start),
        ("letter behind the word answer", called_answer),
        ("letter called an option", called_option),
        ("the reply is an option's text", only_text),
        ("only letter in bold", bold),
        ("letter in brackets", bracketed),
        ("letter as a word of its own", lone_letter),
        ("option text contained", contained_text),
    ];
    for (name, rule) in rules {
        let mut found = rule(reply, options);
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

/// What precedes a question that a model goes on with after a first line that is a letter alone.
fn before_another_question(reply: &str) -> &str {
    pattern!(ALONE, r"^\s*[^\w\n]*[A-Z][^\w\n]*\n");
    pattern!(
        QUESTION,
        r"(?i)\n\W*(?:question|problem|user|human|问题|题目|質問|질문)\s*\d*\W*:"
    );
    let end = QUESTION
        .as_ref()
        .filter(|_| ALONE.as_ref().is_some_and(|alone| alone.is_match(reply)))
        .and_then(|question| question.find(reply));
    end.map_or(reply, |end| &reply[..end.start()])
}

/// The letters that the pattern's group finds, alone and no part of a name.
fn places(pattern: &Option<Regex>, reply: &str) -> Vec<Range<usize>> {
    let matches = pattern
        .iter()
        .flat_map(|pattern| pattern.captures_iter(reply));
    let letters = matches.filter_map(|found| Some(found.get(1)?.range()));
    letters
        .filter(|place| is_alone(reply, place) && !is_name(reply, place))
        .collect()
}

/// The options of these letters.
fn options_of(places: &[Range<usize>], reply: &str, options: &[String]) -> Vec<usize> {
    let letters = places.iter().map(|place| &reply[place.clone()]);
    letters
        .filter_map(|letter| option_of(letter, options))
        .collect()
}

/// The options of the letters that are not ruled out.
fn options_left(mut places: Vec<Range<usize>>, reply: &str, options: &[String]) -> Vec<usize> {
    let refused = analysis::refused(reply, options);
    places.retain(|place| !is_ruled_out(reply, place));
    let mut left = options_of(&places, reply, options);
    left.retain(|option| !refused.contains(option));
    left
}

fn option_of(letter: &str, options: &[String]) -> Option<usize> {
    let byte = letter.as_bytes().first()?.to_ascii_uppercase();
    let option = usize::from(byte.checked_sub(b'A')?);
    (option < options.len()).then_some(option)
}

fn only_letter(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(
        ONLY,
        r"^[\W_]*(?:(?i:option|choice|answer)\b[\W_]*)?([A-Za-z])(?:[^\w+#][\W_]*|_[\W_]*)?$"
    );
    let found = ONLY.as_ref().and_then(|only| only.captures(reply));
    let letter = found.and_then(|found| found.get(1));
    letter
        .and_then(|letter| option_of(letter.as_str(), options))
        .into_iter()
        .collect()
}

fn called_answer(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(ANSWER, r#"(?i:\banswer)["'*_:\s(\[{]*([A-Z])"#);
    options_left(places(&ANSWER, reply), reply, options)
}

fn called_option(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(
        OPTION,
        r#"(?:(?i:\b(?:option|choice))["'*_:\s]*(?i:is\b)?|选项|選項|選択肢|선택지|보기)["'*_:\s(\[{「]*([A-Z])"#
    );
    options_left(places(&OPTION, reply), reply, options)
}

fn only_text(reply: &str, options: &[String]) -> Vec<usize> {
    let said = comparable(reply);
    let equal = options
        .iter()
        .enumerate()
        .filter(|(_, option)| comparable(option) == said);
    equal.map(|(at, _)| at).collect()
}

fn bold(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(BOLD, r"\*\*[(\[]?([A-Z])[)\].:]?\*\*");
    let mut found = options_of(&places(&BOLD, reply), reply, options);
    found.sort_unstable();
    found.dedup();
    match found[..] {
        [_] => options_left(places(&BOLD, reply), reply, options),
        _ => Vec::new(),
    }
}

fn bracketed(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(BRACKETED, r"\(([A-Z])\)");
    options_left(places(&BRACKETED, reply), reply, options)
}

fn lone_letter(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(LETTER, r"([A-Z])");
    let mut places = places(&LETTER, reply);
    places.retain(|place| !is_article(reply, place));
    let against: Vec<Range<usize>> = (places.iter())
        .filter(|place| is_set_against(reply, place))
        .cloned()
        .collect();
    let mut left = options_left(places, reply, options);
    if !left.is_empty() {
        left.extend(options_of(&against, reply, options));
    }
    left
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
