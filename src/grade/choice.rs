//! Which option a reply to a multiple-choice question chooses, and which rule found it.

mod analysis;
mod leads;
mod letter;
mod option;
mod statement;

use letter::{is_alone, is_article, is_name, is_ruled_out, is_set_against, pattern};
use option::{comparable, option_of, to_ascii};
use regex::Regex;
use std::ops::Range;

/// The largest number of options: there is one letter for each.
pub(super) const MOST_OPTIONS: usize = 26;

/// The choice that was read from a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// 0-based among the options. `None` if the reply chooses nothing, or more than one option.
    pub option: Option<usize>,
    /// The rule that read it, or why nothing was read.
    pub how: String,
}

/// The letter of an option.
pub(super) fn letter(option: usize) -> char {
    u8::try_from(option)
        .ok()
        .and_then(|option| b'A'.checked_add(option))
        .map_or('?', char::from)
}

/// Reads the choice. The rules are tried in this order, and the first that finds anything decides. If it
/// finds several options, the reply is ambiguous and chooses none: no later, weaker rule is tried then, and
/// nothing is guessed.
///
/// 1. The reply is a letter, in upper or lower case, with or without punctuation around it.
/// 2. A stated answer, as [`statement::stated_options`] says: `the answer is (B)`, `"answer": "B"`,
///    `\boxed{B}`, `it must be B`, `B is correct`, `答案是B`, a last line with a letter alone, and the same with
///    an option's whole text instead of the letter. A denied or supposed answer does not count. Of several
///    that differ, the last counts if it is clearly the last word.
/// 3. The only option that an analysis of several options accepts (`A: no. B: yes.`).
/// 4. A letter at the start, followed by one of `) . : ,` or the end of the line, unless the reply recites
///    all options in this way or rules that letter out.
/// 5. A letter after the word `answer`.
/// 6. A letter that is called an option or a choice (`option B`, `选项B`) and is not ruled out.
/// 7. The reply is the text of an option.
/// 8. The only letter in bold.
/// 9. A letter in round brackets.
/// 10. A capital letter as a word of its own. `A` and `I` before a word other than `or` and `and` are words,
///     not letters. In `B rather than A`, and in `A is wrong, B`, the letter that is ruled out does not
///     count. In `B, not A`, both count.
/// 11. The text of an option inside the reply. If one such text contains another, the longer one counts.
///
/// A letter stands alone next to characters of a script without capitals, such as Chinese. It does not stand
/// alone in `A4`, `X-ray` and `A+`, nor in names such as `vitamin B`, `Plan B`, `A级`. Full-width letters and
/// marks are read as ASCII. If the first line is a letter alone, a question that the model makes up after it
/// does not count.
pub(super) fn read(reply: &str, options: &[String]) -> Choice {
    let reply: String = reply.chars().map(to_ascii).collect();
    let reply = before_another_question(&reply);
    if reply.trim().is_empty() {
        return no_choice("the reply is empty");
    }
    let rules: [(&str, Rule); 11] = [
        ("the reply is a letter", only_letter),
        ("stated answer", statement::stated_options),
        (
            "only option that the analysis accepts",
            analysis::accepted_options,
        ),
        ("option letter at the start", analysis::letter_at_start),
        ("letter after the word answer", called_answer),
        ("letter called an option", called_option),
        ("the reply is an option's text", only_text),
        ("only letter in bold", letter_in_bold),
        ("letter in brackets", letter_in_brackets),
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
                return no_choice(&format!("ambiguous: {name}, {}", letters.join(" and ")));
            }
        }
    }
    no_choice("no option can be read in it")
}

type Rule = fn(&str, &[String]) -> Vec<usize>;

fn no_choice(why: &str) -> Choice {
    Choice {
        option: None,
        how: why.to_owned(),
    }
}

/// The reply before a further question that a model makes up, after a first line that is a letter alone.
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

/// The letters that the pattern's group finds, if they are alone and not part of a name.
fn letter_places(pattern: &Option<Regex>, reply: &str) -> Vec<Range<usize>> {
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
    let refused = analysis::refused_options(reply, options);
    places.retain(|place| !is_ruled_out(reply, place));
    let mut left = options_of(&places, reply, options);
    left.retain(|option| !refused.contains(option));
    left
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
    options_left(letter_places(&ANSWER, reply), reply, options)
}

fn called_option(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(
        OPTION,
        r#"(?:(?i:\b(?:option|choice))["'*_:\s]*(?i:is\b)?|选项|選項|選択肢|선택지|보기)["'*_:\s(\[{「]*([A-Z])"#
    );
    options_left(letter_places(&OPTION, reply), reply, options)
}

fn only_text(reply: &str, options: &[String]) -> Vec<usize> {
    let said = comparable(reply);
    let equal = options
        .iter()
        .enumerate()
        .filter(|(_, option)| comparable(option) == said);
    equal.map(|(at, _)| at).collect()
}

fn letter_in_bold(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(BOLD, r"\*\*[(\[]?([A-Z])[)\].:]?\*\*");
    let mut found = options_of(&letter_places(&BOLD, reply), reply, options);
    found.sort_unstable();
    found.dedup();
    match found[..] {
        [_] => options_left(letter_places(&BOLD, reply), reply, options),
        _ => Vec::new(),
    }
}

fn letter_in_brackets(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(BRACKETED, r"\(([A-Z])\)");
    options_left(letter_places(&BRACKETED, reply), reply, options)
}

fn lone_letter(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(LETTER, r"([A-Z])");
    let mut places = letter_places(&LETTER, reply);
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
