//! `longtext`: LongText-Bench's text score, English and Chinese.

use super::{Case, Rule, Verdict, lookup};
use crate::record::Grade;
use crate::text::normalise::{self, Language};
use crate::text::{multiset, whitespace};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::hash::Hash;

/// What the official evaluator removes from the reader's reply. It means to remove other phrases too, but its loop keeps
/// its last pass only.
const NO_TEXT: &str = "No text recognized.";

/// Most of the missing units that a reason lists.
const LISTED: usize = 12;

/// Options of `longtext`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The OCR observer to believe where there are several.
    pub observer: Option<String>,
}

/// `expect` of an item.
#[derive(Deserialize)]
struct Expect<'a> {
    #[serde(borrow)]
    texts: Vec<Cow<'a, str>>,
    language: Language,
}

/// Score = matched units / reference units: words in English, characters in Chinese, matched as multisets after
/// [`normalise::longtext`]. Averages divide sums (the official micro average). Order and additions cost nothing.
/// `correct` means that every unit was found. Parts: `matched`, `reference`.
pub struct LongText(pub Options);

impl LongText {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, String> {
        let expect = Expect::deserialize(&case.item.expect)
            .map_err(|e| format!("the item's `expect` is not LongText-Bench's: {e}"))?;
        let text = lookup::find(case, "text", self.0.observer.as_deref())?
            .get("text")
            .and_then(serde_json::Value::as_str)
            .ok_or("malformed evidence: `text` is not a string")?
            .replace(NO_TEXT, "");
        let language = expect.language;
        let reference = normalise::longtext(&expect.texts.join(" "), language);
        let found = normalise::longtext(&text, language);
        match language {
            Language::En => compare(
                whitespace::words(&reference),
                whitespace::words(&found),
                "words",
                " ",
            ),
            Language::Zh => compare(reference.chars(), found.chars(), "characters", ""),
        }
    }
}

fn compare<T: Eq + Hash + Copy + Display>(
    reference: impl Iterator<Item = T> + Clone,
    found: impl Iterator<Item = T>,
    unit: &str,
    separator: &str,
) -> Result<Verdict, String> {
    let total = reference.clone().count();
    if total == 0 {
        return Err("the item's `expect.texts` normalises to nothing".into());
    }
    let result = multiset::intersect(reference, found);
    let mut reason = format!("{} of {total} {unit} found", result.matched);
    if !result.missing.is_empty() {
        let listed: Vec<String> = result
            .missing
            .iter()
            .take(LISTED)
            .map(T::to_string)
            .collect();
        let more = if result.missing.len() > LISTED {
            " …"
        } else {
            ""
        };
        reason += &format!("; missing: {}{more}", listed.join(separator));
    }
    let score = result.matched as f64 / total as f64;
    Ok(Verdict {
        parts: BTreeMap::from([
            ("matched".into(), result.matched as f64),
            ("reference".into(), total as f64),
        ]),
        ..Verdict::scored(score, result.matched == total, reason)
    })
}

impl Rule for LongText {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        grade.score?;
        Some((*grade.parts.get("matched")?, *grade.parts.get("reference")?))
    }
}
