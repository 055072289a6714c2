//! Who judged: the models behind the evidence that counts.

use crate::record::judged::http_date;
use crate::record::model_name::{Class, ModelName};
use crate::record::{Answers, Evidence, JudgedBy};
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The judges behind the evidence that counts, each once, in order of appearance.
pub fn judges(evidence: &[Evidence]) -> Vec<JudgedBy> {
    let mut last: HashMap<(&str, u32, &str), usize> = HashMap::new();
    let judged = |record: &&Evidence| {
        let evidence = record.evidence.as_ref();
        evidence.is_some_and(|evidence| evidence.get("calls").is_some())
    };
    for (index, record) in evidence.iter().enumerate().filter(|(_, r)| judged(r)) {
        last.insert((&record.item, record.repeat, &record.observer), index);
    }
    let mut counted: Vec<usize> = last.into_values().collect();
    counted.sort_unstable();
    let counted = counted
        .into_iter()
        .filter_map(|at| evidence[at].evidence.as_ref());
    let mut judges: Vec<JudgedBy> = Vec::new();
    // Outputs that no model judged, such as those that a gateway refused: they have a judge only where nothing else has.
    let mut nobody = None;
    for evidence in counted {
        let found = match evidence.get("class") {
            // Evidence of earlier versions, and of others, says no more than a name.
            None => vec![named(evidence)],
            Some(_) => answered(evidence),
        };
        if found.is_empty() {
            nobody.get_or_insert(evidence);
        }
        found.into_iter().for_each(|judge| add(&mut judges, judge));
    }
    if judges.is_empty() {
        let asked = nobody.map(|evidence| with_answers(evidence, None, None));
        judges.extend(asked);
    }
    judges
}

/// Puts a judge beside the others, or adds its replies to those that are its own.
fn add(judges: &mut Vec<JudgedBy>, judge: JudgedBy) {
    let name = ModelName::of(&judge.judge);
    let same = |known: &JudgedBy| {
        let names = known.judge == judge.judge || ModelName::of(&known.judge).is_same(&name);
        let words = known.prompts == judge.prompts && known.sha256 == judge.sha256;
        let kind = |judge: &JudgedBy| {
            let answers = judge.answers.as_ref()?;
            Some((answers.asked.clone(), answers.class, answers.ignored))
        };
        names && words && kind(known) == kind(&judge)
    };
    let Some(at) = judges.iter().position(same) else {
        return judges.push(judge);
    };
    if let (Some(answers), Some(more)) = (&mut judges[at].answers, judge.answers) {
        merge(answers, more);
    }
}

fn merge(answers: &mut Answers, more: Answers) {
    let both = |one: Option<jiff::Timestamp>, other| [one, other].into_iter().flatten();
    answers.first = both(answers.first, more.first).min();
    answers.last = both(answers.last, more.last).max();
    answers.calls += more.calls;
    for (print, count) in more.fingerprints {
        *answers.fingerprints.entry(print).or_default() += count;
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The judge that evidence names, without more.
fn named(evidence: &Value) -> JudgedBy {
    let judge = match text(&evidence["model"]) {
        model if model.is_empty() => text(&evidence["judge"]),
        model => model,
    };
    let prompts = &evidence["prompts"];
    JudgedBy {
        judge,
        prompts: [&prompts["set"], &prompts["wording"]]
            .map(text)
            .join(" ")
            .trim()
            .to_owned(),
        sha256: text(&prompts["sha256"]),
        answers: None,
    }
}

/// The judges of one output's calls, one entry a call.
fn answered(evidence: &Value) -> Vec<JudgedBy> {
    let calls = evidence["calls"].as_array().into_iter().flatten();
    let of_call = |call: &Value| {
        let class = call.get("class").unwrap_or(&evidence["class"]);
        let class = Class::deserialize(class).ok()?;
        Some(with_answers(evidence, Some(call), Some(class)))
    };
    calls.filter_map(of_call).collect()
}

fn with_answers(evidence: &Value, call: Option<&Value>, class: Option<Class>) -> JudgedBy {
    let of_call = |key: &str| call.and_then(|call| call[key].as_str());
    let (asked, answered) = (
        text(&evidence["judge"]),
        of_call("model").map(str::to_owned),
    );
    let fingerprint = of_call("fingerprint").map(|print| (print.to_owned(), 1));
    let moment = of_call("server_date").and_then(http_date);
    JudgedBy {
        judge: answered.clone().unwrap_or_else(|| asked.clone()),
        answers: Some(Answers {
            asked,
            answered,
            class,
            fingerprints: fingerprint.into_iter().collect::<BTreeMap<_, _>>(),
            first: moment,
            last: moment,
            calls: usize::from(call.is_some()),
            ignored: evidence["answering"] == "ignore",
        }),
        ..named(evidence)
    }
}
