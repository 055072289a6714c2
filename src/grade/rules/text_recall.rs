//! `text-recall`: the mean share of a text that several OCR engines read, which is the text part of X-Omni's
//! reward.

use super::longtext::Expect;
use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::{TextReading, text_alone};
use crate::text::recall;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The description of `text-recall`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<TextRecallOptions>(
    "text-recall",
    "The share of a text that several OCR engines find, on average.",
    &[Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(TextRecall(options.read()?))),
);

/// Options of `text-recall`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TextRecallOptions {
    /// The OCR observers that count, each of which must have read the output. Default: all that wrote a text.
    pub observers: Vec<String>,
}

/// Score = mean over engines of matched units / reference units. The units are words in English and
/// characters in Chinese, and they are matched as in LongText-Bench. There is a part for each engine, under
/// the name of its observer. If an engine failed, the output has no score.
pub(super) struct TextRecall(pub TextRecallOptions);

impl TextRecall {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let told = |e| format!("the item's `expect` needs `texts` and `language`: {e}");
        let expect =
            Expect::deserialize(&case.item.expect).map_err(|e| Lack::of_record(told(e)))?;
        let mut parts = BTreeMap::new();
        let mut said = Vec::new();
        for engine in self.engines(case)? {
            let text = text_alone(lookup::find(case, TextReading::KEY, Some(engine))?)
                .ok_or_else(|| format!("malformed evidence: `text` of {engine} is not a string"))?;
            let found = recall::longtext(&expect.texts, text, expect.language);
            let value = found.value().ok_or(Lack::of_record(
                "the item's `expect.texts` normalises to nothing",
            ))?;
            said.push(format!("{engine} {} of {}", found.matched, found.reference));
            parts.insert(engine.to_owned(), value);
        }
        let score = recall::mean(parts.values().copied())
            .ok_or_else(|| lookup::unseen("no observer wrote `text`"))?;
        Ok(Verdict {
            parts,
            ..Verdict::scored(score, score == 1.0, format!("read by {}", said.join(", ")))
        })
    }

    /// The observers that count, those of the evidence in the order of its file.
    fn engines<'a>(&'a self, case: &Case<'a>) -> Result<Vec<&'a str>, Lack> {
        if !self.0.observers.is_empty() {
            return Ok(self.0.observers.iter().map(String::as_str).collect());
        }
        let mut engines: Vec<&str> = Vec::new();
        for record in case.evidence {
            let text = record
                .evidence
                .as_ref()
                .and_then(|seen| seen.get(TextReading::KEY));
            if (text.is_some() || record.error.is_some())
                && !engines.contains(&record.observer.as_str())
            {
                engines.push(&record.observer);
            }
        }
        if engines.is_empty() {
            Err(lookup::unseen("no observer wrote `text`"))
        } else {
            Ok(engines)
        }
    }
}

impl Rule for TextRecall {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn needs(&self) -> &'static [&'static str] {
        &["texts"]
    }
}
