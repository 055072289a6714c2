//! Options that a reply goes through one by one, and the letter that it begins with.

use super::letter::{is_alone, pattern};
use super::option::option_of;
use std::ops::Range;

/// An option, and what the reply says about it.
#[derive(Debug)]
struct Head {
    option: usize,
    /// The text about it, up to the next head.
    said: Range<usize>,
}

/// The options that the reply goes through: each is a letter at the start of a line or a sentence, followed
/// by a mark.
fn heads(reply: &str, options: &[String]) -> Vec<Head> {
    pattern!(
        HEAD,
        r"(?m)(?:^|[.;!?。；]\s+)[^\w\n]*(?:(?i:option|choice)\s+|选项\s*|選項\s*|선택지\s*)?([A-Z])[\x22'*_]*(?:选项|選項|项|項|번)?(?:\s?[).:、,|]|\s+[-–—]\s)[*_]*"
    );
    let mut heads: Vec<Head> = Vec::new();
    for found in HEAD.iter().flat_map(|head| head.captures_iter(reply)) {
        let (Some(whole), Some(letter)) = (found.get(0), found.get(1)) else {
            continue;
        };
        let option = option_of(letter.as_str(), options);
        if let Some(option) = option.filter(|_| is_alone(reply, &letter.range())) {
            if let Some(last) = heads.last_mut() {
                last.said.end = whole.start();
            }
            heads.push(Head {
                option,
                said: whole.end()..reply.len(),
            });
        }
    }
    heads
}

/// The letters that an analysis rules out.
pub(super) fn refused_options(reply: &str, options: &[String]) -> Vec<usize> {
    let heads = heads(reply, options);
    let bad = heads
        .iter()
        .filter(|head| has_property(head, reply, options, is_negative));
    bad.map(|head| head.option).collect()
}

/// Whether a verdict on an option begins with a no. `Not A` after another letter is not a verdict on that
/// letter.
fn is_negative(said: &str) -> bool {
    pattern!(
        NO,
        r"(?i)^[^\w✗✘❌×✕]*(?:no\s*(?:[,.;:!|—–-]|$)|nope\b|not\b|wrong\b|incorrect\b|false\b|[✗✘❌×✕]|can(?:not|['’]t)\b|does(?: not|n['’]t)\b|is(?: not|n['’]t|\s+(?:wrong|incorrect|out))\b|ruled out|excluded|eliminated|unlikely\b|错|錯|不|非|否|排除|아니|틀|いいえ|違|誤)"
    );
    pattern!(
        OTHER,
        r"^[^\w]*(?i:not|不是|并非)[^\w]*(?i:option)?[^\w]*[A-Z](?:[^A-Za-z0-9]|$)"
    );
    let matches = |pattern: &Option<regex::Regex>| {
        pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(said))
    };
    matches(&NO) && !matches(&OTHER)
}

fn is_positive(said: &str) -> bool {
    pattern!(
        YES,
        r"(?i)^[^\w✓✔✅☑]*(?:yes\b|correct\b|right\s*(?:[,.;:!|—–-]|$)|true\b|[✓✔✅☑]|对|對|正确|正確|是的|맞|정답|옳|正解|正しい|はい)"
    );
    YES.as_ref().is_some_and(|yes| yes.is_match(said))
}

/// Whether the text about an option, or a cell of that text in a table, has a property. An option whose own
/// text is a yes or a no has no verdict, since the reply may only recite it.
fn has_property(head: &Head, reply: &str, options: &[String], property: fn(&str) -> bool) -> bool {
    let own = options.get(head.option).map_or("", String::as_str);
    if is_negative(own) || is_positive(own) {
        return false;
    }
    let said = &reply[head.said.clone()];
    let line = said.lines().next().unwrap_or_default();
    if line.contains('|') {
        return line.split('|').any(property);
    }
    // `A. a saw - incorrect`: the verdict may end the line.
    const VERDICT: usize = 24;
    let end = line
        .trim_end()
        .rsplit(['-', '–', '—', ':', ',', '(', '、', '→'])
        .next();
    property(said)
        || end.is_some_and(|end| {
            end.len() < line.trim_end().len() && end.len() <= VERDICT && property(end)
        })
}

/// The options that an analysis of several options accepts (`A: no. B: yes.`).
pub(super) fn accepted_options(reply: &str, options: &[String]) -> Vec<usize> {
    let heads = heads(reply, options);
    let first = heads.first().map(|head| head.option);
    if heads.iter().all(|head| Some(head.option) == first) {
        return Vec::new();
    }
    let good = heads.iter().filter(|head| {
        has_property(head, reply, options, is_positive)
            && !has_property(head, reply, options, is_negative)
    });
    good.map(|head| head.option).collect()
}

/// The letter at the start, unless the reply recites all options in this way or rules that letter out. There
/// are several if the start is a list of letters.
pub(super) fn letter_at_start(reply: &str, options: &[String]) -> Vec<usize> {
    pattern!(
        START,
        r"^[^\w\n]*([A-Z])[\x22'*_]*[ \t]*(?:[).:,、。]|\n|$)"
    );
    pattern!(
        LIST,
        r"^[^\w\n]*[A-Z](?:\s*(?:,|、|/|&|\bor\b|\band\b|或|和|與|与)[\s(*]*([A-Z])[\s)*]*)+(?:[.。\n)]|都|均|皆|are\b|both\b|$)"
    );
    pattern!(MARKED, r"(?m)([A-Z])(?:[).:]|[ \t]*$)");
    pattern!(LETTER, r"[A-Z]");
    let found = START.as_ref().and_then(|start| start.captures(reply));
    let Some(start) = found.and_then(|found| found.get(1)) else {
        return Vec::new();
    };
    if !is_alone(reply, &start.range()) {
        return Vec::new();
    }
    if let Some(list) = LIST.as_ref().and_then(|list| list.find(reply)) {
        let letters = LETTER
            .iter()
            .flat_map(|letter| letter.find_iter(list.as_str()));
        return letters
            .filter_map(|letter| option_of(letter.as_str(), options))
            .collect();
    }
    let marked = MARKED.iter().flat_map(|marked| marked.captures_iter(reply));
    let marked = marked.filter_map(|found| found.get(1));
    let marked = marked.filter(|letter| is_alone(reply, &letter.range()));
    let mut recited: Vec<usize> = marked
        .filter_map(|letter| option_of(letter.as_str(), options))
        .collect();
    recited.sort_unstable();
    recited.dedup();
    let heads = heads(reply, options);
    let refused = heads.first().is_some_and(|head| {
        Some(head.option) == option_of(start.as_str(), options)
            && has_property(head, reply, options, is_negative)
    });
    // After another letter at the start, the reply explains the other options.
    let recital = options.len() > 1 && recited.len() == options.len() && start.as_str() == "A";
    if refused || recital {
        Vec::new()
    } else {
        option_of(start.as_str(), options).into_iter().collect()
    }
}
