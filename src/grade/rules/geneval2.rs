//! `geneval2`: GenEval 2's Soft-TIFA from the probabilities of first tokens (`evaluation.py` and
//! `soft_tifa_analysis.py` of facebookresearch/GenEval2, commit a6e82d2).

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::{Lack, LackKind};
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::evidence::{Answered, FirstToken, FirstTokens};
use crate::record::{Item, Overall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The description of `geneval2`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<GenEval2Options>(
    "geneval2",
    "GenEval 2: Soft-TIFA, the means of the probabilities of right answers to a prompt's questions.",
    &[Reads::Evidence(FirstTokens::KEY)],
    |options| Ok(Box::new(GenEval2(options.read()?))),
);

/// Which probabilities of a question are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Variant {
    /// As the official script does: the first token of every form, a token that two forms share twice, and
    /// with it the lone blank before digits.
    #[default]
    Official,
    /// Each token once, without a lone blank. These numbers are not comparable with published ones.
    Strict,
}

/// The mean over a prompt's questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mean {
    /// The geometric mean (Soft-TIFA GM, which papers call prompt-level).
    #[default]
    Geometric,
    /// The arithmetic mean (Soft-TIFA AM, which papers call atom-level).
    Arithmetic,
}

/// Options of `geneval2`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GenEval2Options {
    /// `official` or `strict`. Default: `official`.
    pub variant: Variant,
    /// The mean that is the score: `geometric` or `arithmetic`. The parts have both. Default: `geometric`.
    pub mean: Mean,
    /// The observer to use if there are several.
    pub observer: Option<String>,
}

/// A question's value is the probability that the answer begins with one of the accepted forms. A picture's
/// score is the mean over its questions. Metrics are both means (`soft-tifa gm`, `soft-tifa am`), `tifa`, and
/// the mean over all questions of each skill. Scores are shares; the official script prints them times 100.
#[derive(Debug)]
pub(super) struct GenEval2(pub GenEval2Options);

/// A question of an item, its expected answer and its skill.
struct Question {
    text: String,
    answer: String,
    skill: String,
}

#[derive(Deserialize)]
struct Expect {
    vqa_list: Vec<(String, String)>,
    skills: Vec<String>,
}

/// The values of one question.
struct Value {
    soft: f64,
    /// Whether the most likely token is a right answer. `None` if the evidence does not say it.
    hard: Option<bool>,
    answer: String,
}

fn questions(item: &Item) -> Result<Vec<Question>, String> {
    let expect = Expect::deserialize(&item.expect)
        .map_err(|error| format!("the item's `expect` is not GenEval 2's: {error}"))?;
    let (asked, named) = (expect.vqa_list.len(), expect.skills.len());
    if asked == 0 || asked != named {
        return Err(format!(
            "the item's `expect` has {asked} questions and {named} skills, where one skill for each question was expected"
        ));
    }
    let pairs = expect.vqa_list.into_iter().zip(expect.skills);
    let question = |((text, answer), skill)| Question {
        text,
        answer,
        skill,
    };
    Ok(pairs.map(question).collect())
}

/// The sum of the probabilities of the accepted forms.
fn official(token: &FirstToken) -> f64 {
    let of = |id: &u32| token.p.get(id).copied().unwrap_or_default();
    token.forms.iter().map(of).sum()
}

/// The same with each token once, and without a token that is only a blank.
fn strict(token: &FirstToken) -> f64 {
    let is_blank = |id: &&u32| {
        let word = token.words.get(*id);
        word.is_some_and(|word| word.trim().is_empty())
    };
    let distinct: BTreeSet<&u32> = token.forms.iter().filter(|id| !is_blank(id)).collect();
    let of = |id: &u32| token.p.get(id).copied().unwrap_or_default();
    distinct.into_iter().map(of).sum()
}

/// The geometric mean. It is 0 if any value is 0.
fn geometric(values: &[f64]) -> f64 {
    if values.iter().any(|value| *value <= 0.0) {
        return 0.0;
    }
    let logarithms: f64 = values.iter().map(|value| value.ln()).sum();
    (logarithms / values.len() as f64).exp()
}

fn arithmetic(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl GenEval2 {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let questions = questions(case.item).map_err(Lack::of_record)?;
        let evidence = self.evidence(case)?;
        let value = |(at, question)| self.value(evidence, at, question);
        let values = questions.iter().enumerate().map(value);
        let values: Vec<Value> = values.collect::<Result<_, Lack>>()?;
        let soft: Vec<f64> = values.iter().map(|value| value.soft).collect();
        let (gm, am) = (geometric(&soft), arithmetic(&soft));
        let score = match self.0.mean {
            Mean::Geometric => gm,
            Mean::Arithmetic => am,
        };
        let mut parts = skills(&questions, &soft);
        parts.extend([
            ("gm".to_owned(), gm),
            ("am".to_owned(), am),
            ("questions".to_owned(), soft.len() as f64),
        ]);
        let hard: Option<Vec<bool>> = values.iter().map(|value| value.hard).collect();
        if let Some(hard) = hard {
            let right = hard.iter().filter(|right| **right).count();
            parts.insert("tifa".to_owned(), right as f64 / hard.len() as f64);
        }
        let reasons = questions.iter().zip(&values);
        let unlikely = reasons.filter(|(_, value)| value.soft < 0.5);
        let reasons = unlikely.map(|(question, value)| {
            let Value { soft, answer, .. } = value;
            format!(
                "{} {:?}: probability {soft:.3}, said {answer:?}",
                question.text, question.answer
            )
        });
        Ok(Verdict {
            score: Some(score),
            parts,
            reason: reasons.collect::<Vec<_>>().join("\n"),
            ..Verdict::default()
        })
    }

    /// The evidence with probabilities. A judge whose answers are words only is named.
    fn evidence<'a>(&self, case: &Case<'a>) -> Result<&'a serde_json::Value, Lack> {
        let found = lookup::find(case, FirstTokens::KEY, self.0.observer.as_deref());
        found.map_err(|lack| {
            let words_only = |seen: &&serde_json::Value| FirstTokens::are_missing(seen);
            let wrote = case.evidence.iter().find(|record| {
                let chosen = self.0.observer.as_ref();
                let chosen = chosen.is_none_or(|name| *name == record.observer);
                chosen && record.evidence.as_ref().filter(words_only).is_some()
            });
            match wrote {
                Some(record) if lack.kind() == LackKind::Unseen => Lack::new(
                    LackKind::Unseen,
                    format!(
                        "missing evidence: observer {} wrote words without their probabilities, which Soft-TIFA needs; use the observer qwen-first-token",
                        record.observer
                    ),
                ),
                _ => lack,
            }
        })
    }

    fn value(
        &self,
        evidence: &serde_json::Value,
        at: usize,
        question: &Question,
    ) -> Result<Value, Lack> {
        let id = at.to_string();
        let token = FirstTokens::of(evidence, &id)
            .map_err(|error| format!("malformed evidence: `first.{id}`: {error}"))?;
        let token = token
            .ok_or_else(|| format!("incomplete evidence: question {id} has no probabilities"))?;
        let possible = |p: &f64| (0.0..=1.0).contains(p);
        if let Some((token, p)) = token.p.iter().find(|(_, p)| !possible(p)) {
            let words = format!(
                "malformed evidence: `first.{id}`: token {token} has {p}, which is no probability"
            );
            return Err(words.into());
        }
        let soft = match self.0.variant {
            Variant::Official => official(&token),
            Variant::Strict => strict(&token),
        };
        let answers = Answered::read(evidence);
        let answer = answers.and_then(|answers| Some(answers.word(&id)?.into_owned()));
        let small = answer.as_ref().map(|answer| answer.to_lowercase());
        let known = small.filter(|_| !token.texts.is_empty());
        if self.0.variant == Variant::Strict && !question.is_asked_for(&token) {
            let words = format!(
                "incomplete evidence: question {id} expects {:?}, but the evidence has other forms",
                question.answer
            );
            return Err(words.into());
        }
        Ok(Value {
            soft,
            hard: known.map(|small| token.texts.contains(&small)),
            answer: answer.unwrap_or_default(),
        })
    }
}

impl Question {
    /// Whether the evidence has the forms of the expected answer. The official script asks for a yes, whatever
    /// is expected.
    fn is_asked_for(&self, token: &FirstToken) -> bool {
        let same = |text: &String| text.eq_ignore_ascii_case(&self.answer);
        token.texts.is_empty() || token.texts.iter().any(same)
    }
}

/// The mean of each skill and the number of its questions.
fn skills(questions: &[Question], soft: &[f64]) -> BTreeMap<String, f64> {
    let mut by_skill: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (question, value) in questions.iter().zip(soft) {
        by_skill.entry(&question.skill).or_default().push(*value);
    }
    let mut parts = BTreeMap::new();
    for (skill, values) in by_skill {
        parts.insert(format!("{skill}{QUESTIONS}"), values.len() as f64);
        parts.insert(format!("{SKILL}{skill}"), arithmetic(&values));
    }
    parts
}

/// What stands before a skill in the name of the part with its mean.
const SKILL: &str = "skill ";
/// What stands behind a skill in the name of the part with the number of its questions.
const QUESTIONS: &str = " questions";

impl Rule for GenEval2 {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn overall(&self) -> Overall {
        Overall::Items
    }

    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        let mut add = |name: String, value: f64, weight: f64| {
            let sum = sums.entry(name).or_default();
            *sum = (sum.0 + value * weight, sum.1 + weight);
        };
        for grade in board.grades.iter().filter(|grade| grade.score.is_some()) {
            for (part, metric) in [("gm", "soft-tifa gm"), ("am", "soft-tifa am")] {
                if let Some(value) = grade.parts.get(part) {
                    add(metric.to_owned(), *value, 1.0);
                }
            }
            // The official script's hard score is a mean over prompts, too.
            if let Some(value) = grade.parts.get("tifa") {
                add("tifa".to_owned(), *value, 1.0);
            }
            for (part, value) in grade.parts.iter() {
                let Some(skill) = part.strip_prefix(SKILL) else {
                    continue;
                };
                let count = grade.parts.get(&format!("{skill}{QUESTIONS}"));
                add(part.clone(), *value, count.copied().unwrap_or_default());
            }
        }
        let counted = sums.into_iter().filter(|(_, (_, weight))| *weight > 0.0);
        counted
            .map(|(name, (sum, weight))| (name, sum / weight))
            .collect()
    }

    fn notes(&self, _board: &Board<'_>) -> Vec<String> {
        let strict = "`strict` adds each token once and leaves out a lone blank; these numbers are not comparable with published ones";
        let notes = (self.0.variant == Variant::Strict).then(|| strict.to_owned());
        notes.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(forms: &[u32], p: &[(u32, f64)], blank: u32) -> FirstToken {
        FirstToken {
            forms: forms.to_vec(),
            p: p.iter().copied().collect(),
            words: BTreeMap::from([(blank, " ".to_owned())]),
            ..FirstToken::default()
        }
    }

    #[test]
    fn a_shared_token_counts_once_for_each_form_and_strictly_once() {
        let seen = token(
            &[5, 6, 5, 220],
            &[(5, 0.25), (6, 0.125), (220, 0.0625)],
            220,
        );
        assert_eq!(official(&seen), 0.25 + 0.125 + 0.25 + 0.0625);
        assert_eq!(strict(&seen), 0.25 + 0.125);
        // A form whose token the evidence does not list has no probability.
        assert_eq!(official(&token(&[7], &[(5, 0.25)], 220)), 0.0);
    }

    #[test]
    fn one_impossible_answer_takes_the_whole_geometric_mean() {
        assert!((geometric(&[0.25, 1.0]) - 0.5).abs() < 1e-12);
        assert_eq!(geometric(&[0.0, 1.0]), 0.0);
        assert_eq!(arithmetic(&[0.0, 1.0]), 0.5);
    }
}
