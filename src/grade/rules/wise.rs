//! `wise`: WISE from a judge's replies, legacy (`WISE_legacy`) and verified (`vllm_eval.py`,
//! `calculate_verified.py` of PKU-YuanGroup/WISE, commit eb51174; `univa/eval/wise` of UniWorld-V1, commit
//! 8403e86).

mod parse;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::judge::{self, Call, Parsing};
use crate::grade::lack::Lack;
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::grade::scale::Scale;
use crate::python;
use crate::record::Overall;
use crate::record::evidence::Judgement;
use crate::record::{Grade, Item};
use parse::Prompt;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Name, last `prompt_id` and weight of each category: legacy and verified.
type Categories = [(&'static str, u64, f64); 6];
const LEGACY: Categories = [
    ("CULTURE", 400, 0.4),
    ("TIME", 567, 0.167),
    ("SPACE", 700, 0.133),
    ("BIOLOGY", 800, 0.1),
    ("PHYSICS", 900, 0.1),
    ("CHEMISTRY", 1000, 0.1),
];
const VERIFIED: Categories = [
    ("CULTURE", 400, 0.4),
    ("TIME", 520, 0.12),
    ("SPACE", 640, 0.12),
    ("BIOLOGY", 760, 0.12),
    ("PHYSICS", 880, 0.12),
    ("CHEMISTRY", 1000, 0.12),
];
/// The scales of the legacy prompt's scores and of the verified one's.
const SCALES: [Scale; 2] = [
    Scale {
        least: 0.0,
        most: 2.0,
        whole: true,
    },
    Scale {
        least: 0.0,
        most: 1.0,
        whole: true,
    },
];
/// The official overall value needs all of them.
const PROMPTS: usize = 1000;

/// The description of `wise`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<WiseOptions>(
    "wise",
    "WISE: consistency, realism and aesthetic quality, from a judge's replies.",
    &[Reads::Evidence(Judgement::KEY)],
    |options| Ok(Box::new(Wise::new(options.read()?)?)),
)
.with_official_files(&["scores.jsonl"]);

/// Options of `wise`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WiseOptions {
    /// WISE Verified: one score of 0 or 1 a reply, other categories. Default: false.
    pub verified: bool,
    /// `official`: names and digits wherever the official script finds them. `strict`: the lines as asked.
    /// Default: `official`.
    pub parsing: Parsing,
    /// Legacy: where no name is found, three lines of one digit count, as in WISE's own script and not in
    /// UniWorld-V1's copy. Default: true.
    pub bare_lines: bool,
    /// The judge to use if there are several.
    pub observer: Option<String>,
}

impl Default for WiseOptions {
    fn default() -> Self {
        Self {
            verified: false,
            parsing: Parsing::default(),
            bare_lines: true,
            observer: None,
        }
    }
}

/// Legacy: a picture's score (WiScore, 0 to 1) is (0.7 · consistency + 0.2 · realism + 0.1 · aesthetic
/// quality) / 2 of the first reply that has all three. Verified: 0 or 1. The overall value is the mean over
/// items, which is the official weighting of the six categories if all 1000 prompts are there. Only then is
/// it also the metric `overall`.
#[derive(Debug)]
pub(super) struct Wise(WiseOptions);

impl Wise {
    /// # Errors
    /// Fails if `parsing` is one that WISE does not have.
    pub(super) fn new(options: WiseOptions) -> Result<Self, OptionError> {
        options.parsing.official_or_strict()?;
        Ok(Self(options))
    }

    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let calls = judge::calls(case, self.0.observer.as_deref())?;
        let strict = self.0.parsing == Parsing::Strict;
        if self.0.verified {
            let read = if strict {
                parse::verified_strict
            } else {
                parse::verified
            };
            let (call, score) = judge::first_readable(&calls, "judge", self.0.parsing, read)?;
            let reason = call.remark().trim_start_matches("; ").to_owned();
            return Ok(Verdict {
                notes: notes(&call, SCALES[1], Prompt::Verified),
                ..Verdict::scored(score, score == 1.0, reason)
            });
        }
        let read = |reply: &str| {
            if strict {
                parse::legacy_strict(reply)
            } else {
                parse::legacy(reply, self.0.bare_lines)
            }
        };
        let (call, [consistency, realism, aesthetic]) =
            judge::first_readable(&calls, "judge", self.0.parsing, read)?;
        let parts = parse::NAMES.iter().zip([consistency, realism, aesthetic]);
        Ok(Verdict {
            score: Some((0.7 * consistency + 0.2 * realism + 0.1 * aesthetic) / 2.0),
            parts: parts
                .map(|(name, value)| (name.to_string(), value))
                .collect(),
            reason: format!(
                "consistency {consistency}, realism {realism}, aesthetic quality {aesthetic}{}",
                call.remark()
            ),
            notes: notes(&call, SCALES[0], Prompt::Legacy),
            ..Verdict::default()
        })
    }

    fn categories(&self) -> &'static Categories {
        if self.0.verified { &VERIFIED } else { &LEGACY }
    }

    /// The scored grades of each prompt's first picture, by `prompt_id`.
    fn by_id<'a>(&self, board: &Board<'a>) -> BTreeMap<u64, (&'a Item, &'a Grade)> {
        let items: HashMap<&str, &Item> = board
            .items
            .iter()
            .map(|item| (item.item.as_str(), item))
            .collect();
        let first = board
            .grades
            .iter()
            .filter(|grade| grade.repeat == 0 && grade.score.is_some());
        first
            .filter_map(|grade| {
                let item = *items.get(grade.item.as_str())?;
                Some((prompt_id(item)?, (item, grade)))
            })
            .collect()
    }
}

/// The notes on a reply, and on scores in it that are not as asked. The official script takes their first
/// digit.
fn notes(call: &Call<'_>, scale: Scale, prompt: Prompt) -> Vec<String> {
    let mut notes = call.notes();
    let written = parse::written(&call.reply, prompt);
    notes.extend(written.iter().filter_map(|written| scale.oddity(written)));
    notes
}

fn prompt_id(item: &Item) -> Option<u64> {
    match item.expect.get("prompt_id") {
        Some(Value::String(id)) => id.parse().ok(),
        Some(id) => id.as_u64(),
        None => item.item.parse().ok(),
    }
}

impl Rule for Wise {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn overall(&self) -> Overall {
        Overall::Items
    }

    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let scored = self.by_id(board);
        let mut metrics = BTreeMap::new();
        let (mut first, mut overall) = (1, 0.0);
        for (name, last, weight) in self.categories() {
            let scores = scored
                .range(first..=*last)
                .filter_map(|(_, (_, grade))| grade.score);
            let scores: Vec<f64> = scores.collect();
            if !scores.is_empty() {
                let mean = scores.iter().sum::<f64>() / scores.len() as f64;
                metrics.insert((*name).to_owned(), mean);
                overall += weight * mean;
            }
            first = last + 1;
        }
        if scored.range(1..first).count() == PROMPTS {
            metrics.insert("overall".to_owned(), overall);
        }
        metrics
    }

    /// `scores.jsonl`, the lines that `Calculate.py` and `calculate_verified.py` read.
    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        let mut text = String::new();
        for (id, (item, grade)) in self.by_id(board) {
            let mut line = json!({"prompt_id": id, "Subcategory": item.expect.get("Subcategory")});
            if self.0.verified {
                line["score"] = grade.score.into()
            } else {
                for name in parse::NAMES {
                    line[name] = grade.parts.get(name).copied().into();
                }
            }
            text += &(python::json::dumps(&line) + "\n");
        }
        if text.is_empty() {
            return Vec::new();
        }
        vec![OfficialFile {
            name: "scores.jsonl".to_owned(),
            text,
        }]
    }
}
