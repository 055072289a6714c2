//! `dpg-bench`: DPG-Bench's rule from answers to yes-no questions (`dpg_bench/compute_dpg_bench.py` of ELLA,
//! commit 3c228f1d), a grade for every picture of a grid.

mod official;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::python::whitespace::strip;
use crate::record::Overall;
use crate::record::evidence::{self, Answers};
use crate::record::{Evidence, Grade, Item};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The description of `dpg-bench`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<DpgOptions>(
    "dpg-bench",
    "DPG-Bench: the share of a prompt's questions that an observer answers with yes.",
    &[Reads::Evidence(Answers::KEY)],
    |options| Ok(Box::new(Dpg(options.read()?))),
)
.with_official_files(&["dpg-bench_results.txt", "dpg-bench_results_detail.txt"]);

/// Options of `dpg-bench`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DpgOptions {
    /// The observer to use if there are several.
    pub observer: Option<String>,
}

/// A picture's score is the share of its questions that are answered with `yes`. A question counts as
/// answered with no if one that it depends on does. The overall value is the mean of the items' means.
/// Categories use the unchanged answers, and only those of an item's last picture, as the official script
/// does.
#[derive(Debug)]
pub(super) struct Dpg(pub DpgOptions);

#[derive(Deserialize)]
struct Expect {
    propositions: Vec<Row>,
}

/// A row of the official table.
#[derive(Deserialize)]
struct Row {
    id: Value,
    #[serde(default)]
    dependency: Value,
    #[serde(default)]
    tuple: String,
    #[serde(default)]
    question: String,
}

/// A question of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    id: String,
    parents: Vec<String>,
    tuple: String,
    text: String,
}

impl Question {
    /// The detailed category: the text before the first bracket.
    fn detailed_category(&self) -> &str {
        let tuple = self.tuple.split('(').next().unwrap_or_default();
        strip(tuple)
    }

    /// The broad category: the text before the first dash of the detailed one.
    fn broad_category(&self) -> &str {
        let broad = self
            .detailed_category()
            .split('-')
            .next()
            .unwrap_or_default();
        strip(broad)
    }
}

/// The questions of an item, in order. A repeated id keeps its first place and gets the content of the later
/// row.
fn read_questions(item: &Item) -> Result<Vec<Question>, String> {
    let expect = Expect::deserialize(&item.expect)
        .map_err(|error| format!("the item's `expect` is not DPG-Bench's: {error}"))?;
    let mut questions: Vec<Question> = Vec::with_capacity(expect.propositions.len());
    for row in expect.propositions {
        let question = Question {
            id: id_text(&row.id).ok_or("a proposition's `id` is not a number")?,
            parents: read_parents(&row.dependency)?,
            tuple: row.tuple,
            text: row.question,
        };
        match questions.iter_mut().find(|known| known.id == question.id) {
            Some(known) => *known = question,
            None => questions.push(question),
        }
    }
    if questions.is_empty() {
        return Err("the item's `expect` has no propositions".into());
    }
    Ok(questions)
}

/// An id: a whole number, in any notation.
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.as_i64()?.to_string()),
        Value::String(text) => Some(strip(text).parse::<i64>().ok()?.to_string()),
        _ => None,
    }
}

/// `1,2`. `0` means that there is none.
fn read_parents(value: &Value) -> Result<Vec<String>, String> {
    let text = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return Err("a proposition's `dependency` is neither text nor number".into()),
    };
    let number = |part: &str| {
        let parsed = strip(part).parse::<i64>();
        parsed.map_err(|_| format!("the dependency {text:?} is not a list of numbers"))
    };
    let all: Vec<i64> = text.split(',').map(number).collect::<Result<_, _>>()?;
    let named = all.into_iter().filter(|parent| *parent != 0);
    Ok(named.map(|parent| parent.to_string()).collect())
}

/// The answers, one for each question.
#[derive(Debug, Clone, PartialEq)]
struct Answered {
    words: Vec<String>,
    /// 1 for exactly `yes`.
    given: Vec<bool>,
}

impl Answered {
    fn new(evidence: &Value, questions: &[Question]) -> Result<Self, String> {
        let answers = evidence::Answered::read(evidence)
            .ok_or("malformed evidence: `answers` is not an object")?;
        let word = |question: &Question| {
            let word = answers.word(&question.id).map(Cow::into_owned);
            word.ok_or_else(|| {
                format!(
                    "incomplete evidence: question {} has no answer",
                    question.id
                )
            })
        };
        let words: Vec<String> = questions.iter().map(word).collect::<Result<_, _>>()?;
        Ok(Self {
            given: words.iter().map(|word| word == "yes").collect(),
            words,
        })
    }

    /// The answers, where those that depend on a no become no. The questions are checked in order, on the
    /// values at that moment.
    ///
    /// # Errors
    /// Fails if a question depends on one that does not exist. The official script then leaves out the item.
    fn with_dependents_zeroed(&self, questions: &[Question]) -> Result<Vec<bool>, String> {
        let places: HashMap<&str, usize> = (questions.iter().enumerate())
            .map(|(place, question)| (question.id.as_str(), place))
            .collect();
        let mut live = self.given.clone();
        for (place, question) in questions.iter().enumerate() {
            for parent in &question.parents {
                let parent = places.get(parent.as_str()).ok_or_else(|| {
                    format!(
                        "{DROPPED}: question {} depends on question {parent}, which does not exist",
                        question.id
                    )
                })?;
                if !live[*parent] {
                    live[place] = false;
                    break;
                }
            }
        }
        Ok(live)
    }
}

/// The start of the reason for an item that the official script leaves out.
const DROPPED: &str = "left out, as officially";

impl Dpg {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let questions = read_questions(case.item).map_err(Lack::of_record)?;
        let evidence = lookup::find(case, Answers::KEY, self.0.observer.as_deref())?;
        let answered = Answered::new(evidence, &questions)?;
        let live = answered.with_dependents_zeroed(&questions)?;
        let right = live.iter().filter(|right| **right).count();
        let denied = |place: usize| !live[place];
        let reasons = questions.iter().enumerate().filter(|(at, _)| denied(*at));
        let reasons: Vec<String> = reasons
            .map(|(at, question)| {
                if answered.given[at] {
                    format!("{}: what it depends on is missing", question.text)
                } else {
                    format!("{}: {:?}", question.text, answered.words[at])
                }
            })
            .collect();
        let count = questions.len() as f64;
        Ok(Verdict {
            score: Some(right as f64 / count),
            parts: [
                ("yes".to_owned(), right as f64),
                ("questions".to_owned(), count),
            ]
            .into(),
            reason: reasons.join("\n"),
            ..Verdict::default()
        })
    }

    /// The questions and answers that a grade was made from.
    fn questions_and_answers(
        &self,
        item: &Item,
        repeat: u32,
        evidence: &[&Evidence],
    ) -> Option<(Vec<Question>, Answered)> {
        let case = Case {
            item,
            repeat,
            output: None,
            evidence,
        };
        let questions = read_questions(item).ok()?;
        let evidence = lookup::find(&case, "answers", self.0.observer.as_deref()).ok()?;
        let answered = Answered::new(evidence, &questions).ok()?;
        Some((questions, answered))
    }
}

impl Rule for Dpg {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn overall(&self) -> Overall {
        Overall::Items
    }

    /// If one picture is left out, its whole item is left out.
    fn settle(&self, _items: &[Item], grades: &mut [Grade]) {
        let dropped: HashSet<String> = (grades.iter())
            .filter(|grade| {
                grade
                    .unscored
                    .as_ref()
                    .is_some_and(|why| why.starts_with(DROPPED))
            })
            .map(|grade| grade.item.clone())
            .collect();
        for grade in grades
            .iter_mut()
            .filter(|grade| dropped.contains(&grade.item))
        {
            if grade.score.take().is_some() {
                grade.parts = Default::default();
                grade.unscored = Some(format!("{DROPPED}: another picture of this item is"));
            }
        }
    }

    /// `L1 entity`, `L2 attribute - color`, … (0 to 100), over all questions of a category.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        official::last_pictures(self, board, |questions, answered| {
            for (question, given) in questions.iter().zip(&answered.given) {
                for name in [
                    format!("L1 {}", question.broad_category()),
                    format!("L2 {}", question.detailed_category()),
                ] {
                    let (yes, all) = sums.entry(name).or_default();
                    *yes += f64::from(u8::from(*given));
                    *all += 1.0;
                }
            }
        });
        let percents = sums.into_iter();
        percents
            .map(|(name, (yes, all))| (name, 100.0 * yes / all))
            .collect()
    }

    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        official::files(self, board)
    }
}
