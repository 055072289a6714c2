//! `gedit`: GEdit-Bench's VIEScore from a judge's replies (`GEdit-Bench` of stepfun-ai/Step1X-Edit, commit
//! 570eba6).

mod facts;
mod official;
mod viescore;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::judge::{self, Call, Parsing};
use crate::grade::lack::Lack;
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::grade::scale::Scale;
use crate::grade::state;
use crate::record::Item;
use crate::record::Overall;
use crate::record::evidence::Judgement;
use crate::text::thinking::NO_ANSWER;
use facts::{expected_or_tag, is_in_intersection, scores_of};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The scale of both prompts.
const SCALE: Scale = Scale {
    least: 0.0,
    most: 10.0,
    whole: false,
};

/// The description of `gedit`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<GEditOptions>(
    "gedit",
    "GEdit-Bench: semantic consistency and perceptual quality of an edit, from a judge's replies.",
    &[Reads::Evidence(Judgement::KEY)],
    |options| Ok(Box::new(GEdit::new(options.read()?)?)),
)
.with_official_files(&["MODEL_GROUP_gpt_score.csv", "MODEL_combined_gpt_score.csv"]);

/// Options of `gedit`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GEditOptions {
    /// `official`: replies are split as the official script does, with its repairs. If it would guess at
    /// random, there is no score. `strict`: a JSON object whose `score` is a list of two numbers from 0 to
    /// 10. Default: `official`.
    pub parsing: Parsing,
    /// The judge to use if there are several.
    pub observer: Option<String>,
}

/// A picture's score (0 to 10) is √(SC · PQ), where SC and PQ are the least scores in the judge's replies of
/// these roles. The overall value is the unweighted mean of the groups' means. Metrics, by language: `en sc`,
/// `en pq`, `en o`, the same with `intersection` over items that all compared models answered, and `en o
/// GROUP` and so on for each group.
#[derive(Debug)]
pub(super) struct GEdit(GEditOptions);

impl GEdit {
    /// # Errors
    /// Fails if `parsing` is one that VIEScore does not have.
    pub(super) fn new(options: GEditOptions) -> Result<Self, OptionError> {
        options.parsing.official_or_strict()?;
        Ok(Self(options))
    }

    fn verdict<'a>(&self, case: &Case<'a>) -> Result<Verdict, Lack> {
        let calls = judge::calls(case, self.0.observer.as_deref())?;
        let of = |role: &str| -> Vec<Call<'a>> {
            let calls = calls.iter().filter(|call| call.role.as_str() == role);
            calls.cloned().collect()
        };
        let (sc, pq) = (of("sc"), of("pq"));
        let strict = self.0.parsing == Parsing::Strict;
        let pairs: Vec<(Call<'a>, Call<'a>)> = sc.into_iter().zip(pq).collect();
        let rounds: Vec<(&str, &str)> = (pairs.iter())
            .map(|(sc, pq)| (reply_words(sc, strict), reply_words(pq, strict)))
            .collect();
        if rounds.is_empty() {
            return Err(
                "missing evidence: the judge's calls have no pair of the roles `sc` and `pq`"
                    .into(),
            );
        }
        let scored = if strict {
            viescore::strict(&rounds)
        } else {
            viescore::official(&rounds)
        };
        let scored = scored.map_err(|why| {
            let pair = pairs.last();
            let thought = pair.is_some_and(|(sc, pq)| !sc.answered || !pq.answered);
            let why = if thought { NO_ANSWER.to_owned() } else { why };
            let last = calls.iter().rev().find(|call| call.refusal.is_some());
            let cut = pairs.last().is_some_and(|(sc, pq)| sc.cut || pq.cut);
            match (last, cut) {
                (Some(call), _) => judge::unread_reason(call, &why),
                (None, true) => state::cut_off(&why),
                (None, false) => state::unparsed(&why),
            }
        })?;
        let taken = pairs.get(scored.round - 1).into_iter();
        let taken: Vec<&Call<'a>> = taken.flat_map(|(sc, pq)| [sc, pq]).collect();
        let remarks = taken.iter().map(|call| call.remark());
        let remark = remarks.max_by_key(String::len).unwrap_or_default();
        let mut notes: Vec<String> = taken.iter().flat_map(|call| call.notes()).collect();
        notes.extend(SCALE.note_outside([scored.least, scored.most]));
        Ok(Verdict {
            score: Some(scored.overall),
            parts: BTreeMap::from([("sc".to_owned(), scored.sc), ("pq".to_owned(), scored.pq)]),
            reason: match scored.round {
                1 => format!("SC {}, PQ {}{remark}", scored.sc, scored.pq),
                round => format!(
                    "SC {}, PQ {} in round {round}{remark}",
                    scored.sc, scored.pq
                ),
            },
            notes,
            ..Verdict::default()
        })
    }
}

/// The words of a reply. With strict parsing, a reply that is not whole has none.
fn reply_words<'c>(call: &'c Call<'_>, strict: bool) -> &'c str {
    if call.cut && strict { "" } else { &call.reply }
}

/// Sums of SC, PQ and O over the outputs of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    values: [f64; 3],
    count: f64,
}

impl Sums {
    fn add(&mut self, values: [f64; 3]) {
        for (sum, value) in self.values.iter_mut().zip(values) {
            *sum += value;
        }
        self.count += 1.0;
    }

    fn means(&self) -> [f64; 3] {
        self.values.map(|sum| sum / self.count)
    }
}

const NAMES: [&str; 3] = ["sc", "pq", "o"];

/// Averages of one set of outputs: every group's, and the unweighted mean of the groups.
fn add_averages(prefix: &str, groups: &BTreeMap<&str, Sums>, metrics: &mut BTreeMap<String, f64>) {
    let mut totals = [0.0; 3];
    for (group, sums) in groups {
        for ((name, mean), total) in NAMES.iter().zip(sums.means()).zip(&mut totals) {
            metrics.insert(format!("{prefix} {name} {group}"), mean);
            *total += mean;
        }
    }
    if !groups.is_empty() {
        for (name, total) in NAMES.iter().zip(totals) {
            metrics.insert(format!("{prefix} {name}"), total / groups.len() as f64);
        }
    }
}

impl Rule for GEdit {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn overall(&self) -> Overall {
        Overall::MacroBy("edit_type".to_owned())
    }

    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let items: HashMap<&str, &Item> = board
            .items
            .iter()
            .map(|item| (item.item.as_str(), item))
            .collect();
        type Groups<'a> = BTreeMap<&'a str, Sums>;
        let mut sets: BTreeMap<&str, (Groups<'_>, Groups<'_>)> = BTreeMap::new();
        for grade in board.grades {
            let (Some(item), Some(values)) = (items.get(grade.item.as_str()), scores_of(grade))
            else {
                continue;
            };
            let Some(group) = expected_or_tag(item, "edit_type") else {
                continue;
            };
            let (full, shared) = sets
                .entry(expected_or_tag(item, "language").unwrap_or("en"))
                .or_default();
            full.entry(group).or_default().add(values);
            if is_in_intersection(item) == Some(true) {
                shared.entry(group).or_default().add(values);
            }
        }
        let mut metrics = BTreeMap::new();
        for (language, (full, shared)) in &sets {
            add_averages(language, full, &mut metrics);
            add_averages(&format!("{language} intersection"), shared, &mut metrics);
        }
        metrics
    }

    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        official::files(board)
    }
}
