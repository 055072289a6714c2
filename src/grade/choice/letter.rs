//! Which capital letters of a reply can be options, and which are articles, parts of names, or ruled out.

use regex::Regex;
use std::ops::Range;

/// A pattern that is compiled once. Its word boundaries are those of ASCII, which are fast, and characters of
/// other scripts may touch a word.
macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: std::sync::LazyLock<Option<regex::Regex>> =
            std::sync::LazyLock::new(|| regex::Regex::new(&$text.replace(r"\b", r"(?-u:\b)")).ok());
    };
}
pub(super) use pattern;

/// Words that may follow the letter of an option. Before any other word in lower case, `A` is an article.
const FUNCTION: [&str; 44] = [
    "or",
    "and",
    "because",
    "since",
    "as",
    "for",
    "in",
    "on",
    "by",
    "from",
    "with",
    "but",
    "not",
    "which",
    "that",
    "when",
    "where",
    "if",
    "due",
    "based",
    "given",
    "is",
    "was",
    "here",
    "too",
    "only",
    "rather",
    "instead",
    "according",
    "considering",
    "per",
    "to",
    "it",
    "he",
    "she",
    "they",
    "we",
    "this",
    "these",
    "there",
    "the",
    "so",
    "matches",
    "fits",
];

/// The distance, in bytes, within which words may change the meaning of a letter. Replies may be long and may
/// repeat themselves.
const NEAR: usize = 240;

/// The last part of a text, at most [`NEAR`] bytes.
pub(super) fn near_end(text: &str) -> &str {
    let mut start = text.len().saturating_sub(NEAR);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// The first part of a text, at most [`NEAR`] bytes.
pub(super) fn near_start(text: &str) -> &str {
    let mut end = text.len().min(NEAR);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Whether a letter of ASCII is not part of a word, a number, or a name such as `A4`, `X-ray`, `I'm` and
/// `A+`. Characters of scripts without capitals, such as Chinese, Japanese and Korean, are not part of its
/// word.
pub(super) fn is_alone(text: &str, place: &Range<usize>) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c.is_lowercase() || c.is_uppercase();
    let mut before = text[..place.start].chars().rev();
    let joined_before = match before.next() {
        // A mark of italics does not join a letter to a word.
        Some('_') => before.next().is_some_and(part),
        Some(c) => part(c),
        None => false,
    };
    let mut behind = text[place.end..].chars();
    let joined_behind = match behind.next() {
        Some('_') => behind.next().is_some_and(part),
        Some('\'' | '’' | '-') => behind.next().is_some_and(part),
        Some('+' | '#') => true,
        Some(c) => part(c),
        None => false,
    };
    !joined_before && !joined_behind
}

/// Whether a letter belongs to a name: `vitamin B`, `Plan B`, `B minor`, `A级`.
pub(super) fn is_name(text: &str, place: &Range<usize>) -> bool {
    pattern!(
        BEFORE,
        r"(?i)(?:\b(?:vitamins?|plan|grade|hepatitis|influenza|appendix|section|exhibit|point|vertex|angle|class|type|group|team|gate|platform|terminal|building|room|zone|size|series|schedule|serotype|apartment|lane|dock|bay|drive)[ \u{a0}]|维生素|維生素|维他命|維他命|ビタミン|비타민|计划|計劃|プラン|플랜|血型|血液型|혈액형|等级|等級|成绩|成績|등급)\s?$"
    );
    pattern!(
        BEHIND,
        r"^(?:(?:级|級|型|股|超|座|站|组|組|队|隊|班|区|區|栋|棟|轮|輪|罩|大调|小调|位|클래스|등급|급|형|팀|반|クラス|ランク|判)| (?:vitamins?|cells?|lymphocytes?|minor|major|flat|sharp|movies?|plus|minus|levels?)\b)"
    );
    let matches = |pattern: &Option<Regex>, text: &str| {
        pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(text))
    };
    matches(&BEFORE, near_end(&text[..place.start]))
        || matches(&BEHIND, near_start(&text[place.end..]))
}

/// The word after the blanks of the same line.
fn next_word(text: &str) -> Option<&str> {
    let text = near_start(text);
    let rest = text.trim_start_matches([' ', '\u{a0}', '\t']);
    if rest.len() == text.len() {
        return None;
    }
    let end = rest.find(|c: char| !c.is_alphabetic());
    Some(&rest[..end.unwrap_or(rest.len())]).filter(|word| !word.is_empty())
}

/// Whether `A` or `I` precedes a word, as an article or a pronoun does. `allowed` has the words that may
/// follow the letter of an option.
fn is_word(text: &str, place: &Range<usize>, allowed: &[&str]) -> bool {
    let letter = &text[place.clone()];
    let next = next_word(&text[place.end..]);
    matches!(letter, "A" | "I" | "a" | "i")
        && next.is_some_and(|next| {
            let small = next.to_lowercase();
            let name = next.is_ascii() && next.len() > 1 && next.starts_with(char::is_uppercase);
            (next.starts_with(char::is_lowercase) || name) && !allowed.contains(&&*small)
        })
}

/// Whether a letter somewhere in a reply is an article or a pronoun.
pub(super) fn is_article(text: &str, place: &Range<usize>) -> bool {
    is_word(text, place, &["or", "and", "because", "since"])
}

/// The same for a letter directly after words that announce an answer.
pub(super) fn is_article_in_answer(text: &str, place: &Range<usize>) -> bool {
    is_word(text, place, &FUNCTION)
}

/// The start of the sentence or the line that a position is in.
pub(super) fn sentence_start(text: &str, place: usize) -> usize {
    let ends = text[..place].rmatch_indices(['.', '\n', '!', '?', '。']);
    ends.map(|(at, end)| at + end.len()).next().unwrap_or(0)
}

/// The text before a position in the same clause.
pub(super) fn clause_before(text: &str, place: usize) -> &str {
    pattern!(
        END,
        r"(?i)[.,;:!?\n。、，；：！？]|\b(?:but|so|thus|therefore|hence|and|since|because|while)\b|但|所以|因此|而是"
    );
    let before = near_end(&text[..place]);
    let ends = END.iter().flat_map(|end| end.find_iter(before));
    let start = ends.last().map_or(0, |found| found.end());
    &before[start..]
}

/// Whether a clause denies, or only supposes, what follows it.
pub(super) fn is_hedged(clause: &str) -> bool {
    pattern!(
        HEDGE,
        r"(?i)\b(?:if|whether|unless|suppos\w+|assum\w+|not|never|cannot|neither|nor|might|may|could|some|someone|people|many|others|tempt\w*|at first|initially|first (?:thought|guess|impression|glance)|seemed|mistake|wrong(?:ly)?)\b|n['’]t\b|如果|假如|假设|若|不是|不能|并非|未必|만약|もし"
    );
    HEDGE.as_ref().is_some_and(|hedge| hedge.is_match(clause))
}

/// Whether what follows a letter denies it, or asks about it.
pub(super) fn is_denied(behind: &str) -> bool {
    pattern!(
        DENIED,
        r"(?i)^[\x22'*_)\]}」』】》]*[ \t]*(?:\?|吗|嗎|か\?|(?:번|선택지)?\s*(?:이|가|은|는)?\s*아[니닙님닌]|(?:では|じゃ)(?:な|あり)|(?:\w+ )?(?:is|was|seems|looks) (?:\w+ )?(?:wrong|incorrect|not|false|out|unlikely|impossible)\b|(?:is|does|would|could|can|must|should)(?: not|n['’]t)\b|cannot\b|(?:drops|falls) out|can be (?:ruled out|excluded|eliminated)|[^A-Z\n。、,;]{0,10}?(?:では(?:な|あり)|じゃな|くない|아[니닙님닌]|不对|不對|不正确|不正確|不是|不符|错|錯|排除|誤り|間違|不正解|틀))"
    );
    DENIED
        .as_ref()
        .is_some_and(|denied| denied.is_match(near_start(behind)))
}

/// Whether the clause before a letter, or what follows it, rules it out: `rather than A`, `A is wrong`.
pub(super) fn is_ruled_out(text: &str, place: &Range<usize>) -> bool {
    pattern!(
        OUT,
        r"(?i)\b(?:not|never|neither|nor|cannot|rul\w+ out|exclud\w+|eliminat\w+|rather than|instead of)\b|n['’]t\b|(?:不|别|別|勿)(?:应该?|應該?|能|会|會|该|該|要|可以?)?(?:选|選|是|为|為)|并非|排除|而非"
    );
    let clause = clause_before(text, place.start);
    OUT.as_ref().is_some_and(|out| out.is_match(clause)) || is_denied(&text[place.end..])
}

/// Whether only a `not` precedes a letter in its clause, as in `C, not D`. Such a letter counts as named.
pub(super) fn is_set_against(text: &str, place: &Range<usize>) -> bool {
    let clause = clause_before(text, place.start);
    let behind_comma = text[..place.start - clause.len()].ends_with(',');
    behind_comma && clause.trim().eq_ignore_ascii_case("not") && !is_denied(&text[place.end..])
}
