//! `genai-bench`: GenAI-Bench's table by skill from a VQAScore (`univa/eval/genai/step2_run_model.py` of
//! UniWorld-V1, commit 8403e86).

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::record::Overall;
use crate::record::{Grade, Item};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// The official tables: heading and columns.
const TABLES: [(&str, &[&str]); 3] = [
    (
        "basic",
        &[
            "attribute",
            "scene",
            "spatial relation",
            "action relation",
            "part relation",
            "basic",
        ],
    ),
    (
        "advanced",
        &[
            "counting",
            "comparison",
            "differentiation",
            "negation",
            "universal",
            "advanced",
        ],
    ),
    ("overall", &["basic", "advanced", "all"]),
];

/// The description of `genai-bench`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<GenAiBenchOptions>(
    "genai-bench",
    "GenAI-Bench: VQAScore, by skill.",
    &[Reads::EvidenceOfOption("key")],
    |options| Ok(Box::new(GenAiBench(options.read()?))),
)
.with_official_files(&["genai_results.txt"]);

/// Options of `genai-bench`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GenAiBenchOptions {
    /// The key of the score in the evidence. Default: `vqascore`.
    pub key: String,
    /// The observer to use if there are several.
    pub observer: Option<String>,
}

impl Default for GenAiBenchOptions {
    fn default() -> Self {
        Self {
            key: "vqascore".to_owned(),
            observer: None,
        }
    }
}

/// A picture's score is the probability that the observer gives to "the picture shows the prompt". The
/// overall value (officially `all`) is the mean over items that have a skill. Metrics are the means by skill,
/// `all`, and `std …` for each.
#[derive(Debug)]
pub(super) struct GenAiBench(pub GenAiBenchOptions);

/// The skills that an item's `expect` names. `None` if it names none of them.
fn skills(item: &Item) -> Option<Vec<&str>> {
    let skills = item.expect.get("skills")?.as_array()?;
    Some(skills.iter().filter_map(Value::as_str).collect())
}

impl GenAiBench {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let skills = skills(case.item);
        let skills = skills.ok_or(Lack::of_record("the item's `expect` has no list `skills`"))?;
        let key = &self.0.key;
        let evidence = lookup::find(case, key, self.0.observer.as_deref())?;
        let score = evidence[key]
            .as_f64()
            .ok_or_else(|| format!("malformed evidence: `{key}` is not a number"))?;
        Ok(Verdict {
            score: Some(score),
            parts: BTreeMap::from([("skills".to_owned(), skills.len() as f64)]),
            reason: skills.join(", "),
            ..Verdict::default()
        })
    }
}

/// Scores by skill, and of all items that have one.
fn by_skill(board: &Board<'_>) -> BTreeMap<String, Vec<f64>> {
    let items: HashMap<&str, &Item> = board
        .items
        .iter()
        .map(|item| (item.item.as_str(), item))
        .collect();
    let mut scores: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for grade in board.grades {
        let skills = items.get(grade.item.as_str()).and_then(|item| skills(item));
        let (Some(skills), Some(score)) = (skills, grade.score) else {
            continue;
        };
        let all = (!skills.is_empty()).then_some("all");
        for skill in skills.into_iter().chain(all) {
            scores.entry(skill.to_owned()).or_default().push(score);
        }
    }
    scores
}

/// The mean and the sample standard deviation (torch's default), which is `None` for a single value.
fn mean_and_deviation(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (n > 1.0).then(|| (squares / (n - 1.0)).sqrt()))
}

impl Rule for GenAiBench {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    /// Items without a skill are in no official mean.
    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        let score = grade.score?;
        match grade.parts.get("skills") {
            Some(0.0) => Some((0.0, 0.0)),
            _ => Some((score, 1.0)),
        }
    }

    fn overall(&self) -> Overall {
        Overall::Items
    }

    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut metrics = BTreeMap::new();
        for (skill, scores) in by_skill(board) {
            let (mean, std) = mean_and_deviation(&scores);
            if let Some(std) = std {
                metrics.insert(format!("std {skill}"), std);
            }
            metrics.insert(skill, mean);
        }
        metrics
    }

    /// `genai_results.txt`: what the official script prints.
    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        let scores = by_skill(board);
        if scores.is_empty() {
            return Vec::new();
        }
        let mut text = String::new();
        for (heading, columns) in TABLES {
            let _ = writeln!(text, "Tag Group: {heading} (metric performance)");
            let padded = columns.iter().map(|column| format!("{column:<17}"));
            let _ = writeln!(
                text,
                "{:<17}{}",
                "Model",
                padded.collect::<Vec<_>>().join(" ")
            );
            let cell = |column: &&str| match scores
                .get(*column)
                .map(|scores| mean_and_deviation(scores))
            {
                Some((mean, std)) => {
                    format!("{mean:.6}+-{:.6}", std.unwrap_or(f64::NAN)).to_lowercase()
                }
                None => "nan+-nan".to_owned(),
            };
            let cells = columns.iter().map(|column| format!("{:<17}", cell(column)));
            let _ = writeln!(
                text,
                "{:<17}{}\n\n",
                board.model,
                cells.collect::<Vec<_>>().join(" ")
            );
        }
        vec![OfficialFile {
            name: "genai_results.txt".to_owned(),
            text,
        }]
    }
}
