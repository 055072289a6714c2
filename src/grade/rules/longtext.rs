//! `longtext`: LongText-Bench's text score, English and Chinese.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::Grade;
use crate::record::evidence::{TextReading, text_alone};
use crate::text::count::counted;
use crate::text::normalise::Language;
use crate::text::recall::{self, Recall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The phrase that the official evaluator removes from the reader's reply. It means to remove other phrases
/// too, but its loop keeps only its last pass.
const NO_TEXT: &str = "No text recognized.";

/// The largest number of missing units that a reason lists.
const LISTED: usize = 12;

/// The description of `longtext`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<LongTextOptions>(
    "longtext",
    "LongText-Bench: the share of the words or characters that an OCR engine finds.",
    &[Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(LongText(options.read()?))),
);

/// Options of `longtext`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LongTextOptions {
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
}

/// `expect` of an item.
#[derive(Deserialize)]
pub(super) struct Expect<'a> {
    #[serde(borrow)]
    /// The texts that the picture shows.
    pub texts: Vec<Cow<'a, str>>,
    /// The language, which decides whether words or characters are counted.
    pub language: Language,
}

/// Score = matched units / reference units, which are words in English and characters in Chinese. They are
/// matched as multisets after [`normalise::longtext`]. Averages divide sums (the official micro average).
/// Order and additions cost nothing. `correct` means that every unit was found. Parts: `matched`,
/// `reference`.
pub(super) struct LongText(pub LongTextOptions);

impl LongText {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let told = |e| format!("the item's `expect` is not LongText-Bench's: {e}");
        let expect =
            Expect::deserialize(&case.item.expect).map_err(|e| Lack::of_record(told(e)))?;
        let evidence = lookup::find(case, TextReading::KEY, self.0.observer.as_deref())?;
        let text = text_alone(evidence)
            .ok_or("malformed evidence: `text` is not a string")?
            .replace(NO_TEXT, "");
        let found = recall::longtext(&expect.texts, &text, expect.language);
        let score = found.value().ok_or(Lack::of_record(
            "the item's `expect.texts` normalises to nothing",
        ))?;
        Ok(Verdict {
            parts: BTreeMap::from([
                ("matched".into(), found.matched as f64),
                ("reference".into(), found.reference as f64),
            ]),
            ..Verdict::scored(
                score,
                found.matched == found.reference,
                recall_reason(&found, expect.language == Language::Zh),
            )
        })
    }
}

/// The share of a text that was found, and the first units that were not.
pub(super) fn recall_reason(found: &Recall, characters: bool) -> String {
    let (unit, separator) = if characters {
        ("character", "")
    } else {
        ("word", " ")
    };
    let mut reason = format!(
        "{} of {} found",
        found.matched,
        counted(found.reference, unit)
    );
    let listed: Vec<&str> = found.missing.iter().map(String::as_str).collect();
    if !listed.is_empty() {
        let more = if listed.len() > LISTED { " …" } else { "" };
        let listed = &listed[..listed.len().min(LISTED)];
        reason += &format!("; missing: {}{more}", listed.join(separator));
    }
    reason
}

impl Rule for LongText {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn needs(&self) -> &'static [&'static str] {
        &["texts"]
    }

    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        grade.score?;
        Some((*grade.parts.get("matched")?, *grade.parts.get("reference")?))
    }
}
