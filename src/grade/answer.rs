//! Text answers and readings as the rules get them: without the thoughts of a reasoning model.

use super::lack::Lack;
use super::rule::{Case, Rule, Verdict};
use super::state;
use crate::record::evidence::{LANGUAGE_MODEL_READERS, TextReading, text_alone};
use crate::record::{Evidence, Failure, Output, OutputKind};
use crate::text::thinking::{self, NO_ANSWER, Parted};

/// The note on an answer with a thought.
const THOUGHT_LEFT_OUT: &str =
    "a thought beside the answer was left out, which an official script may read";
/// The note on an answer in marks with words around them.
const WORDS_LEFT_OUT: &str =
    "words around the marked answer were left out, which an official script may read";
/// The note on a reply that is a thought alone.
const THOUGHT_ALONE: &str = "no answer came, only a thought";

/// The note on evidence with a reader's thought.
const READER_THOUGHT: &str = "a reader's thought was left out of the text of the picture";

/// Grades one output that was made. A reply that is a thought alone has no score.
pub(super) fn grade(rule: &dyn Rule, case: &Case<'_>) -> Verdict {
    if rule.takes_all() {
        return rule.grade(case);
    }
    let readings: Vec<Option<Evidence>> = (case.evidence.iter())
        .map(|seen| reading_without_thought(seen))
        .collect();
    let evidence: Vec<&Evidence> = (readings.iter().zip(case.evidence))
        .map(|(reading, seen)| reading.as_ref().unwrap_or(seen))
        .collect();
    let parted = case.output.and_then(parted_output);
    if parted
        .as_ref()
        .is_some_and(|(_, parted)| !parted.answered())
    {
        return Verdict {
            notes: vec![THOUGHT_ALONE.to_owned()],
            ..Verdict::unscored(Lack::of_record(state::unparsed(NO_ANSWER)))
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
    let reader_thought = readings.iter().any(Option::is_some);
    let notes = [
        (thought, THOUGHT_LEFT_OUT),
        (around, WORDS_LEFT_OUT),
        (reader_thought, READER_THOUGHT),
    ];
    for (_, note) in notes.into_iter().filter(|(applies, _)| *applies) {
        if !verdict.reason.is_empty() {
            verdict.reason.push_str("; ");
        }
        verdict.reason.push_str(note);
        verdict.notes.push(note.to_owned());
    }
    verdict
}

/// A text output with marks of a thought or an answer, and its parts. `None` for any other output.
fn parted_output(output: &Output) -> Option<(&Output, Parted<'_>)> {
    let text = output.text.as_deref()?;
    let parted = thinking::split_reply(text);
    let marked = !parted.answered() || parted.answer() != text;
    (output.kind == OutputKind::Text && marked).then_some((output, parted))
}

/// The words of an output that are graded. `None` if it has none.
pub(super) fn graded_words(output: &Output) -> Option<String> {
    match parted_output(output) {
        Some((_, parted)) => parted.answered().then(|| parted.answer().to_owned()),
        None => output.text.clone(),
    }
}

/// The evidence of a language model that read a picture, without its thoughts. `None` if it has no thoughts.
/// Our observers leave them out themselves, so this is for evidence of other programs.
fn reading_without_thought(seen: &Evidence) -> Option<Evidence> {
    let evidence = seen
        .evidence
        .as_ref()
        .filter(|_| LANGUAGE_MODEL_READERS.contains(&&*seen.observer))?;
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
