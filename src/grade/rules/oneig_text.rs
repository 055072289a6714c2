//! `oneig-text`: OneIG-Bench's text score, English and Chinese (`scripts/text/text_score.py` of the official
//! repository, commit 41b4983).

mod official;

use super::longtext::recall_reason;
use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::pooled::Pooled;
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::python::whitespace;
use crate::record::Grade;
use crate::record::evidence::{TextReading, text_alone};
use crate::stats::formula::{Formula, Terms};
use crate::text::count::counted;
use crate::text::normalise::{self, Language};
use crate::text::{distance, recall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the official script takes out of the reader's reply, in this order.
const HALLUCINATIONS: [&str; 2] = ["addCriterion", "No text recognized."];

/// The description of `oneig-text`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<OneIgTextOptions>(
    "oneig-text",
    "OneIG-Bench's text score: edit distance, exact pictures and words found.",
    &[Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(OneIgText(options.read()?))),
)
.with_official_files(&["text_score_LANGUAGE.csv", "text_prompt_score_LANGUAGE.csv"]);

/// Options of `oneig-text`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OneIgTextOptions {
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
}

/// `expect` of an item.
#[derive(Deserialize)]
pub(super) struct Expect<'a> {
    #[serde(borrow)]
    texts: Vec<Cow<'a, str>>,
    language: Language,
    /// The cell of the official table. It is a list as Python prints it, and the official script compares
    /// with that text: its escapes count as letters.
    #[serde(borrow, default)]
    text_content: Option<Cow<'a, str>>,
}

/// The score of a picture is its share of matched units. These are words, or characters if the reference has
/// an ideograph. Parts: `ed` (Levenshtein distance in characters after [`normalise::oneig`]), `cr` (1 if that
/// is 0), `wac`, `matched`, `reference`, and `limit`, the distance that counts as worst: 100 in English, 50
/// in Chinese.
///
/// The suite's number is not a mean of these: 1 − min(limit, ED) · (1 − CR) · (1 − WAC) / limit with ED and
/// CR means over all pictures and WAC = Σ matched / Σ reference. `correct` means a distance of 0.
pub(super) struct OneIgText(pub OneIgTextOptions);

impl OneIgText {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let expect = read_expect(&case.item.expect)?;
        let evidence = lookup::find(case, TextReading::KEY, self.0.observer.as_deref())?;
        let text = text_alone(evidence).ok_or("malformed evidence: `text` is not a string")?;
        let gold = match &expect.text_content {
            Some(cell) => normalise::oneig(cell),
            None => normalise::oneig(&expect.texts.join(" ")),
        };
        let read = normalise::oneig(&without_phrases(text));
        let characters = normalise::has_ideograph(&gold);
        let found = if characters {
            recall::unit_recall(gold.chars(), read.chars())
        } else {
            recall::unit_recall(whitespace::words(&gold), whitespace::words(&read))
        };
        let wac = found.value().ok_or(Lack::of_record(
            "the item's reference text normalises to nothing",
        ))?;
        let (gold, read): (Vec<char>, Vec<char>) = (gold.chars().collect(), read.chars().collect());
        let edits = distance::levenshtein(&read, &gold);
        let right = edits == 0;
        let parts = [
            ("ed", edits as f64),
            ("cr", f64::from(u8::from(right))),
            ("wac", wac),
            ("matched", found.matched as f64),
            ("reference", found.reference as f64),
            ("limit", worst_distance(expect.language)),
        ];
        let reason = format!(
            "{}; {}",
            recall_reason(&found, characters),
            counted(edits, "edit")
        );
        Ok(Verdict {
            parts: parts.map(|(name, value)| (name.to_owned(), value)).into(),
            ..Verdict::scored(wac, right, reason)
        })
    }
}

/// The reply without the phrases. If the removal forms such a phrase anew next to a line break, that one is
/// removed too, since the official script removes each phrase in three passes.
fn without_phrases(reply: &str) -> String {
    HALLUCINATIONS
        .into_iter()
        .fold(reply.to_owned(), |text, words| {
            text.replace(words, "")
                .replace(&format!("\n{words}"), "")
                .replace(&format!("{words}\n"), "")
        })
}

fn read_expect(object: &crate::record::Object) -> Result<Expect<'_>, Lack> {
    let told = |e| {
        Lack::of_record(format!(
            "the item's `expect` is not OneIG-Bench's text: {e}"
        ))
    };
    Expect::deserialize(object).map_err(told)
}

/// The greatest mean distance that makes a difference.
const fn worst_distance(language: Language) -> f64 {
    match language {
        Language::En => 100.0,
        Language::Zh => 50.0,
    }
}

/// The official number and its terms.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Numbers {
    ed: f64,
    cr: f64,
    wac: f64,
    score: f64,
}

/// The number from sums over pictures: count, distances, exact ones, matched and reference units, limits.
fn official_numbers(&[n, ed, cr, matched, reference, limit]: &Terms) -> Option<Numbers> {
    if n <= 0.0 || reference <= 0.0 || limit <= 0.0 {
        return None;
    }
    let (ed, cr, wac, limit) = (ed / n, cr / n, matched / reference, limit / n);
    Some(Numbers {
        ed,
        cr,
        wac,
        score: 1.0 - limit.min(ed) * (1.0 - cr) * (1.0 - wac) / limit,
    })
}

impl Formula for OneIgText {
    fn value(&self, sums: &Terms) -> Option<f64> {
        Some(official_numbers(sums)?.score)
    }
}

impl Pooled for OneIgText {
    fn terms(&self, grade: &Grade) -> Option<Terms> {
        grade.score?;
        let part = |name: &str| grade.parts.get(name).copied();
        Some([
            1.0,
            part("ed")?,
            part("cr")?,
            part("matched")?,
            part("reference")?,
            part("limit")?,
        ])
    }

    fn name(&self) -> &'static str {
        "1 - min(M, ED)(1 - CR)(1 - WAC)/M over all outputs"
    }
}

impl Rule for OneIgText {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        grade.score?;
        Some((*grade.parts.get("matched")?, *grade.parts.get("reference")?))
    }

    fn pooled(&self) -> Option<&dyn Pooled> {
        Some(self)
    }

    /// `ed_en`, `cr_en`, `wac_en`, `score_en`, and the same in Chinese.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut metrics = BTreeMap::new();
        for (language, sums) in official::by_language(self, board) {
            let name = official::code(language);
            let Some(numbers) = official_numbers(&sums) else {
                continue;
            };
            for (key, value) in [
                ("ed", numbers.ed),
                ("cr", numbers.cr),
                ("wac", numbers.wac),
                ("score", numbers.score),
            ] {
                metrics.insert(format!("{key}_{name}"), value);
            }
        }
        metrics
    }

    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        official::files(self, board)
    }
}
