//! Remarks on single outputs, counted for the summary: the notes of records, and facts that are in their
//! keys.

use super::records::Records;
use crate::record::evidence::{Call, Judgement};
use crate::record::{Evidence, Grade, Object, Output, ended_by_limit, notes};
use crate::text::count::counted;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// How many different remarks the summary lists one by one. It lists the others together.
const LISTED: usize = 12;

/// An output, by item and repeat.
type Place<'a> = (&'a str, u32);

/// Each remark with the outputs that it is about.
#[derive(Default)]
struct Remarks<'a>(HashMap<String, HashSet<Place<'a>>>);

impl<'a> Remarks<'a> {
    fn add(&mut self, place: Place<'a>, remarks: impl IntoIterator<Item = String>) {
        for remark in remarks {
            self.0.entry(remark).or_default().insert(place);
        }
    }
}

/// One sentence for each remark, with the number of outputs that it is true of. Only the last record of an
/// output counts, and only the last record of an observer about it. Outputs that nobody asked for do not
/// count.
pub(super) fn counted_remarks(records: &Records, grades: &[Grade]) -> Vec<String> {
    let mut remarks = Remarks::default();
    let outputs = records.outputs.as_deref().unwrap_or_default();
    for ((item, repeat), said) in last(outputs, output_key, of_output) {
        remarks.add((item, repeat), said);
    }
    for ((item, repeat, _), said) in last(&records.evidence, observed, of_evidence) {
        remarks.add((item, repeat), said);
    }
    for grade in grades {
        let said = notes(&grade.extra).map(str::to_owned);
        remarks.add((&grade.item, grade.repeat), said);
    }
    sentences(remarks, grades)
}

/// The remarks in the order of the outputs, whatever order their records have.
fn sentences(remarks: Remarks<'_>, grades: &[Grade]) -> Vec<String> {
    if remarks.0.is_empty() {
        return Vec::new();
    }
    let asked: HashMap<Place<'_>, usize> = (0..)
        .zip(grades)
        .map(|(at, grade)| ((grade.item.as_str(), grade.repeat), at))
        .collect();
    let mut sorted: Vec<(usize, String, Vec<usize>)> = (remarks.0.into_iter())
        .filter_map(|(remark, places)| {
            let places = places.iter().filter_map(|place| asked.get(place).copied());
            let places: Vec<usize> = places.collect();
            Some((*places.iter().min()?, remark, places))
        })
        .collect();
    sorted.sort_unstable();
    let others = sorted.split_off(sorted.len().min(LISTED));
    let all = counted(grades.len(), "output");
    let mut said: Vec<String> = (sorted.iter())
        .map(|(_, remark, places)| format!("{} of {all}: {remark}", places.len()))
        .collect();
    let others: HashSet<usize> = others.into_iter().flat_map(|(.., places)| places).collect();
    if !others.is_empty() {
        said.push(format!(
            "{} of {all}: other remarks, which are in the records under `notes`",
            others.len()
        ));
    }
    said
}

/// What identifies an output among the records.
fn output_key(output: &Output) -> Place<'_> {
    (&output.item, output.repeat)
}

/// What identifies an observation among the records.
fn observed(seen: &Evidence) -> (&str, u32, &str) {
    (&seen.item, seen.repeat, &seen.observer)
}

/// The remarks of the last record of each key; keys without remarks are left out.
fn last<'a, T, K: Eq + Hash>(
    records: &'a [T],
    key: impl Fn(&'a T) -> K,
    remarks: impl Fn(&T) -> Vec<String>,
) -> HashMap<K, Vec<String>> {
    let mut said = HashMap::new();
    for record in records {
        let remarks = remarks(record);
        if !remarks.is_empty() {
            said.insert(key(record), remarks);
        } else if !said.is_empty() {
            said.remove(&key(record));
        }
    }
    said
}

/// What a reader must know of an output that was made.
fn of_output(output: &Output) -> Vec<String> {
    if output.error.is_some() || output.extra.is_empty() {
        return Vec::new();
    }
    let extra = &output.extra;
    let mut said = all_notes(extra);
    if is_cut(extra) {
        said.push("the answer was cut by the token limit".into());
    }
    let encoders = extra.get("prompt_truncated_for").and_then(Value::as_array);
    if let Some(encoders) = encoders.filter(|encoders| !encoders.is_empty()) {
        let encoders: Vec<&str> = encoders.iter().filter_map(Value::as_str).collect();
        said.push(format!(
            "the prompt was too long and was cut for {}",
            encoders.join(" and ")
        ));
    }
    if extra.contains_key("revised_prompt") {
        said.push(
            "the server drew from another prompt than the one that was asked (`revised_prompt`)"
                .into(),
        );
    }
    said
}

/// What a reader must know of what was seen.
fn of_evidence(seen: &Evidence) -> Vec<String> {
    if seen.error.is_some() {
        return Vec::new();
    }
    let mut said: Vec<String> = notes(&seen.extra).map(str::to_owned).collect();
    let Some(evidence) = seen.evidence.as_ref().and_then(Value::as_object) else {
        return said;
    };
    said.extend(all_notes(evidence));
    if is_cut(evidence) {
        said.push(format!(
            "a reading of `{}` was cut by the token limit",
            seen.observer
        ));
    }
    let calls = evidence.get(Judgement::KEY).and_then(Value::as_array);
    if calls.is_some_and(|calls| {
        calls
            .iter()
            .any(|call| call.as_object().is_some_and(is_cut))
    }) {
        said.push("a reply of the judge was cut by the token limit".into());
    }
    said
}

/// The notes of a record, and of the objects in it.
fn all_notes(record: &Object) -> Vec<String> {
    let inner = record.values().filter_map(Value::as_object);
    let inner = inner.flat_map(notes);
    notes(record).chain(inner).map(str::to_owned).collect()
}

/// Whether a record says that the token limit ended its text, in our words or in a server's.
fn is_cut(record: &Object) -> bool {
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    let flag = |key: &str| record.get(key) == Some(&Value::Bool(true));
    text("finish_reason").is_some_and(ended_by_limit)
        || text("state") == Some(Call::TRUNCATED)
        || flag("answer_truncated")
        || flag("truncated")
}
