//! Text answers and readings as the rules get them: without the thoughts that a reasoning model writes beside
//! them.

use super::rule::{Case, Rule, Verdict};
use super::state;
use crate::record::evidence::{TextReading, text_alone};
use crate::record::{Evidence, Failure, Output, OutputKind};
use crate::text::thinking::{self, NO_ANSWER, Parted};

/// Said of an answer with a thought.
const LEFT_OUT: &str =
    "a thought beside the answer was left out, which an official script may read";
/// Said of an answer in marks with words around them.
const AROUND: &str =
    "words around the marked answer were left out, which an official script may read";
/// Said of a reply that is a thought alone.
const NONE: &str = "no answer came, only a thought";

/// Observers that put what a language model wrote into `text`; OCR engines write no thoughts, and a picture
/// may show their marks.
const READERS: [&str; 2] = ["openai-ocr", "qwen-ocr"];

/// Said of evidence with a reader's thought.
const READ: &str = "a reader's thought was left out of the text of the picture";

/// Grades one output that was made. A reply that is a thought alone has no score.
pub(super) fn grade(rule: &dyn Rule, case: &Case<'_>) -> Verdict {
    if rule.takes_all() {
        return rule.grade(case);
    }
    let read: Vec<Option<Evidence>> = case.evidence.iter().map(|seen| reading(seen)).collect();
    let evidence: Vec<&Evidence> = (read.iter().zip(case.evidence))
        .map(|(read, seen)| read.as_ref().unwrap_or(seen))
        .collect();
    let parted = case.output.and_then(parted);
    if parted
        .as_ref()
        .is_some_and(|(_, parted)| !parted.answered())
    {
        return Verdict {
            notes: vec![NONE.to_owned()],
            ..Verdict::unscored(state::unparsed(NO_ANSWER))
        };
    }
    let own = parted.as_ref().map(|(output, parted)| Output {
        text: Some(parted.answer().to_owned()),
        ..(*output).clone()
    });
    let mut verdict = rule.grade(&Case {
        output: own.as_ref().or(case.output),
        evidence: &evidence,
        ..*case
    });
    let thought = (parted.as_ref()).is_some_and(|(_, parted)| !parted.thought().is_empty());
    let around = (parted.as_ref()).is_some_and(|(_, parted)| parted.has_more_words());
    let heard = read.iter().any(Option::is_some);
    let said = [(thought, LEFT_OUT), (around, AROUND), (heard, READ)];
    for (_, note) in said.into_iter().filter(|(told, _)| *told) {
        if !verdict.reason.is_empty() {
            verdict.reason.push_str("; ");
        }
        verdict.reason.push_str(note);
        verdict.notes.push(note.to_owned());
    }
    verdict
}

/// A text output with marks of a thought or an answer, taken apart.
fn parted(output: &Output) -> Option<(&Output, Parted<'_>)> {
    let text = output.text.as_deref()?;
    let parted = thinking::split_reply(text);
    let marked = !parted.answered() || parted.answer() != text;
    (output.kind == OutputKind::Text && marked).then_some((output, parted))
}

/// The words of an output that are graded. `None` if it has none.
pub(super) fn graded_words(output: &Output) -> Option<String> {
    match parted(output) {
        Some((_, parted)) => parted.answered().then(|| parted.answer().to_owned()),
        None => output.text.clone(),
    }
}

/// Evidence of a language model that read a picture, without its thoughts. `None` if there are none.
/// Observers leave them out by themselves: this is for evidence of others.
fn reading(seen: &Evidence) -> Option<Evidence> {
    let evidence = seen
        .evidence
        .as_ref()
        .filter(|_| READERS.contains(&&*seen.observer))?;
    let text = text_alone(evidence)?;
    let parted = thinking::split_reply(text);
    if parted.answered() && parted.reading() == text {
        return None;
    }
    let mut own = seen.clone();
    if parted.answered() {
        own.evidence.as_mut()?[TextReading::KEY] = parted.reading().into();
    } else {
        own.error = Some(Failure {
            stage: "observe".into(),
            kind: "ocr".into(),
            message: NO_ANSWER.into(),
        });
    }
    Some(own)
}
