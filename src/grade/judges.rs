//! Who judged: the models that gave the evidence that counts.

use crate::record::evidence::{self, Call, Field, Judgement, PromptsUsed, Text};
use crate::record::judged::http_date;
use crate::record::model_name::{Class, ModelName};
use crate::record::{Answers, Evidence, JudgedBy};
use serde_json::Value;
use std::collections::HashMap;

/// The judges of the evidence that counts, each once, in order of appearance.
pub fn judges(evidence: &[Evidence]) -> Vec<JudgedBy> {
    let mut last: HashMap<(&str, u32, &str), (usize, &Value)> = HashMap::new();
    for (at, record) in evidence.iter().enumerate() {
        let seen = record.evidence.as_ref();
        if let Some(seen) = seen.filter(|seen| seen.get(Judgement::KEY).is_some()) {
            last.insert((&record.item, record.repeat, &record.observer), (at, seen));
        }
    }
    let mut counted: Vec<(usize, &Value)> = last.into_values().collect();
    counted.sort_unstable_by_key(|(at, _)| *at);
    let mut judges: Vec<JudgedBy> = Vec::new();
    // An output may have no judge, such as one whose calls a gateway refused. It adds one only if no other
    // output has a judge.
    let mut nobody = None;
    for (_, seen) in counted {
        let judgement: Judgement<'_> = evidence::read(seen);
        let found = if judgement.class.is_absent() {
            // Evidence of earlier versions and of other programs has only a name.
            vec![judge_named(&judgement)]
        } else {
            answering_judges(&judgement)
        };
        if found.is_empty() {
            nobody.get_or_insert_with(|| with_answers(&judgement, None, None));
        }
        found
            .into_iter()
            .for_each(|judge| add_judge(&mut judges, judge));
    }
    if judges.is_empty() {
        judges.extend(nobody);
    }
    judges
}

/// Adds a judge to the list, or its replies to those of the same judge.
fn add_judge(judges: &mut Vec<JudgedBy>, judge: JudgedBy) {
    let name = ModelName::parse(&judge.judge);
    let same = |known: &JudgedBy| {
        let names = known.judge == judge.judge || ModelName::parse(&known.judge).is_same(&name);
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
        merge_answers(answers, more);
    }
}

fn merge_answers(answers: &mut Answers, more: Answers) {
    let both = |one: Option<jiff::Timestamp>, other| [one, other].into_iter().flatten();
    answers.first = both(answers.first, more.first).min();
    answers.last = both(answers.last, more.last).max();
    answers.calls += more.calls;
    for (print, count) in more.fingerprints {
        *answers.fingerprints.entry(print).or_default() += count;
    }
}

/// The judge that the evidence names, without further facts.
fn judge_named(judgement: &Judgement<'_>) -> JudgedBy {
    let judge = match judgement.model.text() {
        "" => judgement.judge.text(),
        model => model,
    };
    let none = PromptsUsed::default();
    let prompts = judgement.prompts.get().unwrap_or(&none);
    let words = [prompts.set.text(), prompts.wording.text()].join(" ");
    JudgedBy {
        judge: judge.to_owned(),
        prompts: words.trim().to_owned(),
        sha256: prompts.sha256.text().to_owned(),
        answers: None,
    }
}

/// The judges of one output's calls, one entry for each call.
fn answering_judges(judgement: &Judgement<'_>) -> Vec<JudgedBy> {
    let none = Call::default();
    let of_call = |call: &Field<Call<'_>>| {
        let call = call.get().unwrap_or(&none);
        let class = if call.class.is_absent() {
            &judgement.class
        } else {
            &call.class
        };
        Some(with_answers(judgement, Some(call), Some(*class.get()?)))
    };
    let calls = judgement.calls.get().into_iter().flatten();
    calls.filter_map(of_call).collect()
}

fn with_answers(
    judgement: &Judgement<'_>,
    call: Option<&Call<'_>>,
    class: Option<Class>,
) -> JudgedBy {
    let asked = judgement.judge.text().to_owned();
    let owned = |text: &Text<'_>| text.to_string();
    let answered = call.and_then(|call| call.model.get()).map(owned);
    let fingerprint = call.and_then(|call| call.fingerprint.get()).map(owned);
    let moment = call.and_then(|call| http_date(call.server_date.get()?));
    JudgedBy {
        judge: answered.clone().unwrap_or_else(|| asked.clone()),
        answers: Some(Answers {
            asked,
            answered,
            class,
            fingerprints: fingerprint.into_iter().map(|print| (print, 1)).collect(),
            first: moment,
            last: moment,
            calls: usize::from(call.is_some()),
            ignored: judgement.answering.text() == Judgement::IGNORE,
        }),
        ..judge_named(judgement)
    }
}
