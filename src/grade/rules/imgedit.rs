//! `imgedit`: ImgEdit-Bench from a judge's replies (`Benchmark/Basic` and `Benchmark/UGE` of
//! PKU-YuanGroup/ImgEdit, commit 547185d; `univa/eval/imgedit` of UniWorld-V1, commit 8403e86).

mod official;
mod parse;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::judge::{self, Parsing};
use crate::grade::lack::Lack;
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::grade::scale::Scale;
use crate::python::str::round2;
use crate::record::Item;
use crate::record::Overall;
use crate::record::evidence::Judgement;
use parse::{RUBRICS, Scores};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Which of ImgEdit's suites is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Variant {
    /// Nine edit types, with three scores in each reply.
    #[default]
    Basic,
    /// The hard suite (understanding, grounding, editing): one score in each reply.
    Uge,
    /// Several turns, which the authors judged by hand: one score in each reply, and no official number.
    Multiturn,
}

/// The description of `imgedit`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<ImgEditOptions>(
    "imgedit",
    "ImgEdit-Bench: an edit's scores from 1 to 5, from a judge's replies.",
    &[Reads::Evidence(Judgement::KEY)],
    |options| Ok(Box::new(ImgEdit(options.read()?))),
)
.with_official_files(&["result.json", "average_score.json", "typescore.json"]);

/// Options of `imgedit`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ImgEditOptions {
    /// `official`: every line of the form `name: digits` counts, regardless of its name and its number.
    /// `strict`: the three lines of the edit type exactly as asked, from 1 to 5. `robust`: these three lines
    /// with markup, numbering, `/5` and remarks, limited to 1 to 5. Default: `official`.
    pub parsing: Parsing,
    /// `basic`, `uge` or `multiturn`. Default: `basic`.
    pub variant: Variant,
    /// With `robust`: the second and third score are at most the first, as the prompt asks. No script
    /// enforces this.
    pub cap: bool,
    /// The judge to use if there are several.
    pub observer: Option<String>,
}

/// A picture's score (1 to 5) is the mean of the scores in its reply, rounded to two digits. The overall
/// value of `basic` is the unweighted mean of the nine types' means. Metrics: each type's mean, rounded as
/// the official script does; `overall_macro`, the mean of these; `overall_micro`, the mean over outputs.
/// `parts` has the results of `official` and of `robust` parsing.
#[derive(Debug)]
pub(super) struct ImgEdit(pub ImgEditOptions);

/// The scale of all its prompts.
const SCALE: Scale = Scale {
    least: 1.0,
    most: 5.0,
    whole: true,
};

/// The edit type of an item, in ImgEdit's words: UniWorld-V1's copy says `alter` for `adjust`.
fn edit_type(item: &Item) -> Option<&str> {
    let own = item
        .expect
        .get("edit_type")
        .and_then(|value| value.as_str());
    match own.or_else(|| item.tags.get("edit_type").map(String::as_str))? {
        "alter" => Some("adjust"),
        other => Some(other),
    }
}

impl ImgEdit {
    /// The names of the scores that a reply should have; empty for one score.
    fn score_names(&self, item: &Item) -> Result<&'static [&'static str], Lack> {
        if self.0.variant != Variant::Basic {
            return Ok(&[]);
        }
        let kind = edit_type(item);
        let kind = kind.ok_or(Lack::of_record("the item's `expect` has no `edit_type`"))?;
        let rubric = RUBRICS.iter().find(|(known, _)| *known == kind);
        let (_, names) = rubric.ok_or_else(|| {
            let known: Vec<&str> = RUBRICS.iter().map(|(known, _)| *known).collect();
            Lack::of_record(format!(
                "the item's edit type {kind:?} is none of ImgEdit's: {}",
                known.join(", ")
            ))
        })?;
        Ok(names)
    }

    fn read(&self, parsing: Parsing, names: &[&str], reply: &str) -> Result<Scores, String> {
        match (parsing, names) {
            (Parsing::Official, _) => parse::official(reply),
            (Parsing::Strict, []) => parse::single(reply, true),
            (Parsing::Robust, []) => parse::single(reply, false),
            (Parsing::Strict, names) => parse::strict(reply, names),
            (Parsing::Robust, names) => parse::robust(reply, names, self.0.cap),
        }
    }

    /// The notes on scores outside the scale, whether they count or are skipped.
    fn oddity_notes(&self, scores: &Scores, names: &[&str], reply: &str) -> Vec<String> {
        let counted = scores.lines.iter().map(|(_, score)| *score);
        let mut said: Vec<String> = SCALE.note_outside(counted).into_iter().collect();
        let written = parse::written(reply, names);
        said.extend(written.iter().filter_map(|written| SCALE.oddity(written)));
        said
    }

    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let names = match (self.score_names(case.item), self.0.parsing) {
            (Ok(names), _) => Some(names),
            // The official script does not need the item to read a reply.
            (Err(_), Parsing::Official) => None,
            (Err(why), _) => return Err(why),
        };
        let calls = judge::calls(case, self.0.observer.as_deref())?;
        let read = |reply: &str| self.read(self.0.parsing, names.unwrap_or_default(), reply);
        let (call, scores) = judge::first_readable(&calls, "judge", self.0.parsing, read)?;
        let mut parts = BTreeMap::new();
        let official = self.read(Parsing::Official, &[], &call.reply);
        let whole = names.filter(|_| !call.cut);
        let robust = whole.map(|names| self.read(Parsing::Robust, names, &call.reply));
        for (name, scores) in [("official", Some(official)), ("robust", robust)] {
            if let Some(Ok(scores)) = scores {
                parts.insert(name.to_owned(), scores.mean);
            }
        }
        let mut notes = call.notes();
        notes.extend(self.oddity_notes(&scores, names.unwrap_or_default(), &call.reply));
        let lines = scores.lines.iter();
        let lines: Vec<String> = lines
            .map(|(name, score)| format!("{name}: {score}"))
            .collect();
        Ok(Verdict {
            score: Some(scores.mean),
            parts,
            reason: lines.join("\n") + &call.remark(),
            notes,
            ..Verdict::default()
        })
    }
}

impl Rule for ImgEdit {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn overall(&self) -> Overall {
        match self.0.variant {
            Variant::Basic => Overall::MacroBy("edit_type".to_owned()),
            Variant::Uge | Variant::Multiturn => Overall::Micro,
        }
    }

    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut metrics = BTreeMap::new();
        let all: Vec<f64> = board
            .grades
            .iter()
            .filter_map(|grade| grade.score)
            .collect();
        if all.is_empty() || self.0.variant == Variant::Multiturn {
            return metrics;
        }
        metrics.insert("overall_micro".to_owned(), round2(mean(&all)));
        let types = type_means(board, |grade| grade.score);
        if !types.is_empty() {
            metrics.insert("overall_macro".to_owned(), mean_of(&types));
        }
        for name in ["official", "robust"] {
            let types = self::type_means(board, |grade| grade.parts.get(name).copied());
            if !types.is_empty() {
                metrics.insert(format!("overall_macro by {name} parsing"), mean_of(&types));
            }
        }
        metrics.extend(types);
        metrics
    }

    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        official::files(self, board)
    }
}

/// Each type's mean over its outputs, rounded. Types without a score are left out.
fn type_means(
    board: &Board<'_>,
    score: impl Fn(&crate::record::Grade) -> Option<f64>,
) -> BTreeMap<String, f64> {
    let kinds: std::collections::HashMap<&str, &str> = (board.items.iter())
        .filter_map(|item| Some((item.item.as_str(), edit_type(item)?)))
        .collect();
    let mut scores: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for grade in board.grades {
        if let (Some(kind), Some(score)) = (kinds.get(grade.item.as_str()), score(grade)) {
            scores.entry(kind).or_default().push(score);
        }
    }
    let means = scores.into_iter();
    means
        .map(|(kind, scores)| (kind.to_owned(), round2(mean(&scores))))
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn mean_of(types: &BTreeMap<String, f64>) -> f64 {
    types.values().sum::<f64>() / types.len() as f64
}
