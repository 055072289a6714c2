//! Sentences, labels and boxes that state the answer of a multiple-choice question.

use super::leads::{LABELS, LEADS, Lead, NOUNS};
use super::letter::{
    clause_before, is_alone, is_article_in_answer, is_denied, is_hedged, is_name, near_end,
    near_start, pattern, sentence_start,
};
use super::option::{comparable, option_of};
use std::ops::Range;

/// What one sentence states.
#[derive(Debug)]
struct Statement {
    /// The bytes from the words that announce the answer to its end.
    place: Range<usize>,
    /// Several if the sentence names several.
    options: Vec<usize>,
    /// Whether it is a label, a box or a line of its own, and not a sentence.
    label: bool,
}

/// The options that a reply states as its answer: those of the statement that is its last word. If the
/// statements differ and none is the last word, those of all statements.
///
/// The last statement is the last word in three cases: a correction (`Wait, no`) precedes it, or it concludes
/// (`so`, `final`, a box), or it is a label (`Answer: B`, a last line with a letter alone) and all statements
/// that differ are sentences.
pub(super) fn stated_options(reply: &str, options: &[String]) -> Vec<usize> {
    let mut all = announced_statements(reply, options);
    all.extend(verdict_statements(reply, options));
    all.extend(line_statements(reply, options));
    all.sort_by_key(|one| (one.place.start, one.place.end));
    let Some(last) = all.last() else {
        return Vec::new();
    };
    let differ: Vec<&Statement> = all
        .iter()
        .filter(|one| one.options != last.options)
        .collect();
    let concludes = is_conclusion(reply, last);
    let outranked = |other: &&&Statement| {
        last.label && !other.label
            || concludes
            || is_correction(&reply[other.place.end.min(last.place.start)..last.place.start])
    };
    if differ.iter().all(|other| outranked(&other)) {
        last.options.clone()
    } else {
        all.iter()
            .flat_map(|one| one.options.iter().copied())
            .collect()
    }
}

/// Whether words between two statements take the first one back.
fn is_correction(between: &str) -> bool {
    pattern!(
        CORRECTION,
        r"(?i)\b(?:wait|no|not|actually|hmm+|sorry|correct(?:ion|ing)|mistake\w*|on second thought|reconsider\w*|re-?(?:check|examin|evaluat|think|read|assess|look)\w*|instead|rather|however|but|scratch that|apolog\w+|oops|let me|look again)\b|不对|不對|等等|更正|纠正|其实|其實|重新|不是|但|然而|아니|다시|잠깐|정정|하지만|いや|待って|訂正|しかし|やっぱり"
    );
    CORRECTION
        .as_ref()
        .is_some_and(|correction| correction.is_match(between))
}

/// Whether a statement says of itself that it is the conclusion.
fn is_conclusion(reply: &str, statement: &Statement) -> bool {
    pattern!(
        CONCLUSION,
        r"(?i)\b(?:final|finally|conclusion|conclude|therefore|thus|hence|so|overall|in summary|ultimately)\b|boxed|最终|最終|综上|綜上|因此|所以|故|따라서|그러므로|그래서|최종|したがって|よって|だから"
    );
    let sentence = &reply[sentence_start(reply, statement.place.start)..statement.place.end];
    CONCLUSION
        .as_ref()
        .is_some_and(|conclusion| conclusion.is_match(sentence))
}

/// Statements that announce their answer: `the answer is B`, `Answer: B`, `\boxed{B}`, `I choose B`, `答案是B`.
fn announced_statements(reply: &str, options: &[String]) -> Vec<Statement> {
    let mut found = Vec::new();
    for lead in LEADS.iter() {
        let Some(pattern) = &lead.pattern else {
            continue;
        };
        for announced in pattern.find_iter(reply) {
            found.extend(announced_by(reply, options, lead, announced.range()));
        }
    }
    for noun in NOUNS.iter().flat_map(|nouns| nouns.find_iter(reply)) {
        let start = noun.start();
        let behind = near_start(&reply[noun.end()..]);
        // Some more words may come before the verb: `the answer to this question is`.
        let target = LABELS.iter().find_map(|lead| {
            let pattern = lead.pattern.as_ref()?;
            let verbs = pattern.find_iter(behind);
            let reached = verbs.take_while(|verb| leads_on(behind, verb.start(), lead));
            let mut places = reached.map(|verb| start..noun.end() + verb.end());
            places.find_map(|place| announced_by(reply, options, lead, place))
        });
        found.extend(target);
    }
    found
}

/// Whether only words such as `to this question` are between a noun and its verb.
fn leads_on(behind: &str, verb: usize, lead: &Lead) -> bool {
    pattern!(
        BETWEEN,
        r"(?i)^[\x22'*_`)\]]*(?:\s+(?:to|for|of|in|here|among|from|that|which|correcta?|corrette?a?|you|is)\b[^.:;!?\n,]{0,90}|\s*,[^.,:;!?\n]{0,30},|\s*\([^()\n]{0,40}\))?[\x22'*_`\s]*$"
    );
    let between = &behind[..verb];
    if lead.label {
        between
            .chars()
            .all(|c| !c.is_alphanumeric() && !matches!(c, '\n' | '|'))
    } else {
        BETWEEN
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(between))
    }
}

/// The statement whose answer follows a position. `None` if no answer follows.
fn announced_by(
    reply: &str,
    options: &[String],
    lead: &Lead,
    place: Range<usize>,
) -> Option<Statement> {
    if is_hedged(clause_before(reply, place.start)) || is_supposed(reply, &place) {
        return None;
    }
    let (chosen, end) = named_options(reply, options, place.end, lead)?;
    Some(Statement {
        place: place.start..end,
        options: chosen,
        label: lead.label,
    })
}

/// Whether a sentence only says what would be the answer (`If it had teeth, the answer would be A`), or
/// denies a choice (`不应选A`).
fn is_supposed(reply: &str, place: &Range<usize>) -> bool {
    pattern!(
        IF,
        r"(?i)^\W*if\s+(?:it|this|that|the|there|option|they|[A-Z]\b)"
    );
    pattern!(
        NOT,
        r"(?:不|別|别|勿|没|未)(?:应该?|應該?|能|会|會|该|該|要|可以?|必|建议|应当|予)?$"
    );
    let is = |pattern: &Option<regex::Regex>, text: &str| {
        pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(text))
    };
    let before = near_end(&reply[..place.start]);
    let sentence = sentence_start(before, before.len());
    let would = reply[place.clone()].contains("would");
    would && is(&IF, &before[sentence..]) || is(&NOT, before)
}

/// The options that are named at a position, and the end of their names.
fn named_options(
    reply: &str,
    options: &[String],
    at: usize,
    lead: &Lead,
) -> Option<(Vec<usize>, usize)> {
    pattern!(
        FILLER,
        r"^(?i:[\s\x22'*_`~:=>(\[{<「『【《“‘$\\#|–—-]|not [A-Z],? but (?:rather )?|(?:boxed|text(?:bf|rm|sf)?|math(?:rm|bf|sf)|bf|rm)\b|(?:the|my|option|choice|letter|item|answer|number|definitely|clearly|probably|likely|most|indeed|actually|still|therefore|thus|simply|just|only|also|then|as follows|none other than)\b|选项|選項|选择|選擇|第|選択肢|선택지|보기)*"
    );
    let filler = FILLER.as_ref()?.find(near_start(&reply[at..]))?;
    let start = at + filler.end();
    let texts = || text_at(reply, options, at);
    if lead.one_line && filler.as_str().contains('\n') {
        return None;
    }
    let Some((first, mut end)) = letter_at(reply, options, start, lead) else {
        return texts();
    };
    let word = end - 1..end;
    if is_article_in_answer(reply, &word) {
        return texts();
    }
    let behind = &reply[end..];
    if is_name(reply, &word) || is_denied(behind) || lead.ends && !ends_sentence(behind) {
        return None;
    }
    let mut chosen = vec![first];
    while let Some((other, stop)) = joined_option(reply, options, end) {
        chosen.push(other);
        end = stop;
    }
    chosen.sort_unstable();
    chosen.dedup();
    Some((chosen, end))
}

/// The option whose letter is at a position, and the end of the letter. Letters in lower case count in a box.
fn letter_at(reply: &str, options: &[String], at: usize, lead: &Lead) -> Option<(usize, usize)> {
    let c = reply[at..].chars().next()?;
    let fits = c.is_ascii_uppercase() || lead.small && c.is_ascii_lowercase();
    let alone = fits && is_alone(reply, &(at..at + 1));
    let option = alone.then(|| option_of(&reply[at..=at], options))??;
    Some((option, at + 1))
}

/// The option that is named together with another: `B or C`, `B和C`.
fn joined_option(reply: &str, options: &[String], at: usize) -> Option<(usize, usize)> {
    pattern!(
        OR,
        r"^[\s)\]\x22'*_.]*(?:\b(?:or|and/or|oder|ou|o)\b|/|或者?|还是|還是|또는|혹은|または|か)[\s(\[\x22'*_]*(?:(?i:option)\s+)?"
    );
    pattern!(
        AND,
        r"^[\s)\]\x22'*_]*(?:,\s*and\b|\band\b|,|&|、|和|与|與|及|와|과|と)[\s(\[\x22'*_]*(?:(?i:option)\s+)?"
    );
    pattern!(
        CLOSED,
        r"^[)\]\x22'*_]*\s*(?:$|[^\w\s]|\n|are\b|both\b|都|both|か?です|입니다|or\b|and\b)"
    );
    let behind = near_start(&reply[at..]);
    let after = |pattern: &Option<regex::Regex>| {
        let found = pattern.as_ref()?.find(behind)?;
        let place = at + found.end()..at + found.end() + 1;
        let letter = reply.get(place.clone())?;
        let fits = letter.chars().all(|c| c.is_ascii_uppercase()) && is_alone(reply, &place);
        let option = fits.then(|| option_of(letter, options))??;
        (!is_article_in_answer(reply, &place)).then_some((option, place.end))
    };
    after(&OR).or_else(|| {
        let and = after(&AND)?;
        let closed = CLOSED
            .as_ref()
            .is_some_and(|closed| closed.is_match(near_start(&reply[and.1..])));
        closed.then_some(and)
    })
}

fn ends_sentence(behind: &str) -> bool {
    pattern!(
        END,
        r"^[ \t\x22'*_)\]}$\\」]*(?:$|[.\n!。]|项|項|입니다|です|だ)"
    );
    END.as_ref()
        .is_some_and(|end| end.is_match(near_start(behind)))
}

/// The option whose text is the whole rest of the sentence after a position.
fn text_at(reply: &str, options: &[String], at: usize) -> Option<(Vec<usize>, usize)> {
    let behind = &reply[at..];
    let rest = behind.trim_start_matches(|c: char| !c.is_alphanumeric());
    let start = at + behind.len() - rest.len();
    let line = near_start(rest).split('\n').next().unwrap_or_default();
    let ends = line
        .char_indices()
        .filter(|(_, c)| matches!(c, '.' | '。' | '}' | '!' | ';' | '"'));
    let ends = ends.map(|(end, _)| end).chain([line.len()]);
    for end in ends {
        let said = comparable(&line[..end]);
        let equal = (0..options.len()).filter(|&option| comparable(&options[option]) == said);
        let equal: Vec<usize> = equal.collect();
        if !said.is_empty() && !equal.is_empty() {
            return Some((equal, start + end));
        }
    }
    None
}

/// `B is correct`, `only B fits`, `B是正确的`, `Bが正解`, `B가 정답`.
fn verdict_statements(reply: &str, options: &[String]) -> Vec<Statement> {
    pattern!(
        VERDICT,
        r"([A-Z])(?i:[\x22'*_)\]]*(?:\s*\([^()\n]{0,60}\)|,[^,.\n]{1,60},)?\s+(?:is|seems|looks|must be|would be|should be|appears)(?:\s+(?:to be|the|a|also|clearly|definitely|most likely|therefore|thus|indeed|actually|obviously|probably|our|my|only))*\s+(?:correct|right\s*(?:[,.;:!)\n*]|answer|choice|option|one|$)|best(?:\s+(?:answer|choice|option|fit|match)|\s*[,.;!\n]|$)|answer|most (?:likely|appropriate|plausible|accurate|suitable|fitting))|[\x22'*_)\]]*\s+(?:fits|matches|remains|is left)\b|[\x22'*_).:]*\s*[✅✓✔☑]|[\x22'*_)\]」]*\s*(?:选项|項|项|選項|答案|这一项|这项)?[^A-Z。.\n,;?不非否错錯无]{0,8}?(?:是|为|為|才|最|就)?(?:正确|正確|最合适|最佳|最符合|符合|对的|答案|最恰当|最准确)|[^A-Z。.\n?]{0,24}?(?:が|は|이|가|은|는)?\s*(?:最も|一番)?(?:正解|正しい|答え|適切|正答|정답|맞|옳|올바|정확)|[\x22'*_)\]」]*[^A-Z。.\n?]{0,16}?[をを를을]\s*(?:選|선택|고르|골|고릅))"
    );
    pattern!(
        DENIAL,
        r"(?:では|じゃ)(?:な|あり)|아[니닙님닌]|않|不|吗|嗎|か\??$|くない|ない(?:と|。|$)"
    );
    pattern!(ONLY, r"(?i)\bonly\s+(?:option\s+)?[\x22'*_(]*$");
    pattern!(
        NEITHER,
        r"(?i)\b(?:neither|nor|not)\s+(?:option\s+)?[\x22'*_(]*$|不是$|非$"
    );
    pattern!(PAIR, r"([A-Z])\s*(?:or|and|/|和|或)\s*(?:(?i:option)\s+)?$");
    let mut found = Vec::new();
    for verdict in VERDICT
        .iter()
        .flat_map(|verdict| verdict.captures_iter(reply))
    {
        let (Some(whole), Some(letter)) = (verdict.get(0), verdict.get(1)) else {
            continue;
        };
        let before = near_end(&reply[..letter.start()]);
        let is = |pattern: &Option<regex::Regex>, text: &str| {
            pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(text))
        };
        let said = &reply[letter.end()..whole.end()];
        let weak = ["fits", "matches", "remains", "is left"];
        let needs_only = weak.iter().any(|verb| said.to_lowercase().ends_with(verb));
        let tail: String = reply[whole.end()..].chars().take(10).collect();
        let tail = tail
            .split(['.', '。', ',', '\n'])
            .next()
            .unwrap_or_default();
        let denied = is(&DENIAL, said) || is(&DENIAL, tail) || is(&NEITHER, before);
        let stands = is_alone(reply, &letter.range()) && !is_name(reply, &letter.range());
        if !stands
            || denied
            || needs_only && !is(&ONLY, before)
            || is_hedged(clause_before(reply, letter.start()))
        {
            continue;
        }
        let mut chosen: Vec<usize> = option_of(letter.as_str(), options).into_iter().collect();
        let pair = PAIR
            .as_ref()
            .and_then(|pair| pair.captures(before))
            .and_then(|found| found.get(1));
        let pair = pair.filter(|other| is_alone(before, &other.range()));
        chosen.extend(pair.and_then(|other| option_of(other.as_str(), options)));
        chosen.sort_unstable();
        chosen.dedup();
        if !chosen.is_empty() {
            found.push(Statement {
                place: whole.range(),
                options: chosen,
                label: false,
            });
        }
    }
    found
}

/// A first or last line that has only a letter, or in bold a letter with its text, while other lines do not;
/// or such a last sentence.
fn line_statements(reply: &str, options: &[String]) -> Vec<Statement> {
    let lines = parts_with_text(reply.split_inclusive('\n'));
    let sentences = parts_with_text(reply.split_inclusive(['\n', '.', '!', '?', '。']));
    let alone = |unit: &(usize, &str), other: &(usize, &str), bold: bool, label: bool| {
        let option = letter_of(unit.1, options, bold)?;
        let statement = Statement {
            place: unit.0..unit.0 + unit.1.len(),
            options: vec![option],
            label,
        };
        letter_of(other.1, options, true)
            .is_none()
            .then_some(statement)
    };
    let mut found = Vec::new();
    if let [first, second, ..] = &lines[..] {
        found.extend(alone(first, second, false, true));
    }
    if let [.., before, last] = &lines[..] {
        found.extend(alone(last, before, true, true));
    }
    if let [.., before, last] = &sentences[..] {
        found.extend(alone(last, before, false, false));
    }
    found
}

/// The parts of a reply that have a letter or a digit, with the positions at which they begin.
fn parts_with_text<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<(usize, &'a str)> {
    let mut at = 0;
    let placed = parts.map(|part| {
        at += part.len();
        (at - part.len(), part)
    });
    placed
        .filter(|(_, part)| part.chars().any(char::is_alphanumeric))
        .collect()
}

/// The option whose letter is all that a line or a sentence says. In bold, the text of the option may follow.
fn letter_of(said: &str, options: &[String], bold: bool) -> Option<usize> {
    pattern!(
        BARE,
        r"^\W*(?i:(?:based on|given|considering|from)\b[^,.]{0,60},\s*)?(?i:(?:option|choice)\s+)?([A-Z])(?:[^\w+#]\W*)?$"
    );
    pattern!(BOLD, r"^\s*\*\*\(?([A-Z])[).:]?(?:\s[^*]*)?\*\*[.\s]*$");
    let bare = BARE.as_ref()?.captures(said);
    let found = bare.or_else(|| BOLD.as_ref().filter(|_| bold)?.captures(said))?;
    option_of(&found[1], options)
}
