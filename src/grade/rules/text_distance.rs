//! `text-distance`: how near the text that an OCR engine read comes to the text that was asked for, as
//! trainers use it (`flow_grpo/ocr.py` of yifan123/flow_grpo, commit ac4c86e).

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::reading::quote;
use crate::grade::reward::straight_spans;
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::{TextReading, text_alone};
use crate::text::distance::levenshtein;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// `text-distance`, described.
pub(super) const RULE: RuleDescription = RuleDescription::new::<TextDistanceOptions>(
    "text-distance",
    "One minus the edit distance of the read text to the wanted one, per wanted character.",
    &[Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(TextDistance(options.read()?))),
);

/// Options of `text-distance`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TextDistanceOptions {
    /// The OCR observer to believe where there are several.
    pub observer: Option<String>,
    /// Where the wanted text is. Default: `texts`.
    pub target: Target,
    /// Whether a read text that contains the wanted one is right, whatever stands around it. Default: true,
    /// as in the script. A training may then learn to write more than was asked for.
    pub contained: bool,
}

impl Default for TextDistanceOptions {
    fn default() -> Self {
        Self {
            observer: None,
            target: Target::default(),
            contained: true,
        }
    }
}

/// Where the wanted text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Target {
    /// In the item's `expect.texts`, joined.
    #[default]
    Texts,
    /// In the prompt: the first text between straight double quotation marks.
    Quoted,
}

/// Score = 1 − min(d, n) / n, where d is the Levenshtein distance of characters between both texts in small
/// letters, without blanks and ends of lines. n is the number of characters of the wanted text. With
/// `contained`, d is 0 if the read text contains the wanted one.
pub(super) struct TextDistance(pub TextDistanceOptions);

impl TextDistance {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let given = self.target(case)?;
        let wanted = compared(&given);
        if wanted.is_empty() {
            let words = format!("the item's text {} is blank", quote(&given));
            return Err(Lack::of_record(words));
        }
        let evidence = lookup::find(case, TextReading::KEY, self.0.observer.as_deref())?;
        let read = text_alone(evidence).ok_or("malformed evidence: `text` is not a string")?;
        let seen = compared(read);
        let length = wanted.chars().count();
        let distance = if self.0.contained && seen.contains(&wanted) {
            0
        } else {
            let [seen, wanted] = [&seen, &wanted].map(|text| text.chars().collect::<Vec<_>>());
            levenshtein(&seen, &wanted).min(length)
        };
        let score = 1.0 - distance as f64 / length as f64;
        let reason = format!(
            "read {}, wanted {}: distance {distance} of {length}",
            quote(read),
            quote(&given)
        );
        Ok(Verdict::scored(score, distance == 0, reason))
    }

    fn target(&self, case: &Case<'_>) -> Result<String, Lack> {
        let found = match self.0.target {
            Target::Texts => match case.item.expect.get("texts") {
                Some(Value::Array(texts)) => {
                    let texts: Option<Vec<&str>> = texts.iter().map(Value::as_str).collect();
                    let texts = texts.map(|texts| texts.join(" "));
                    texts.ok_or("the item's `expect.texts` is not a list of texts")
                }
                Some(Value::String(text)) => Ok(text.clone()),
                _ => Err("the item's `expect` has no `texts`"),
            },
            Target::Quoted => {
                let spans = straight_spans(&case.item.prompt);
                let first = spans.first().map(|text| (*text).to_owned());
                first.ok_or("the item's prompt has no text between straight double quotation marks")
            }
        };
        found.map_err(Lack::of_record)
    }
}

/// A text as it is compared: in small letters, without blanks (only U+0020, as in the script) and ends of
/// lines. The script joins the lines of the OCR engine by nothing, and evidence joins them by a line feed.
fn compared(text: &str) -> String {
    text.replace([' ', '\n', '\r'], "").to_lowercase()
}

impl Rule for TextDistance {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn needs(&self) -> &'static [&'static str] {
        match self.0.target {
            Target::Texts => &["texts"],
            Target::Quoted => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Evidence, Item};
    use serde_json::json;

    fn verdict(target: Target, prompt: &str, expect: Value, read: &str) -> Verdict {
        let item: Item = serde_json::from_value(
            json!({"item": "a", "task": "text-to-image", "prompt": prompt, "expect": expect}),
        )
        .unwrap();
        let seen: Evidence = serde_json::from_value(
            json!({"item": "a", "observer": "ppocr", "evidence": {"text": read}}),
        )
        .unwrap();
        let rule = TextDistance(TextDistanceOptions {
            target,
            ..TextDistanceOptions::default()
        });
        rule.grade(&Case {
            item: &item,
            repeat: 0,
            output: None,
            evidence: &[&seen],
        })
    }

    fn quoted(prompt: &str, read: &str) -> Option<f64> {
        verdict(Target::Quoted, prompt, json!({}), read).score
    }

    #[test]
    fn the_distance_is_counted_in_characters_of_the_wanted_text() {
        let sign = "a sign that says \"Open Now\" and \"later\"";
        assert_eq!(quoted(sign, "OPEN NOW"), Some(1.0));
        // It is contained, whatever stands around it.
        assert_eq!(quoted(sign, "we are o pen now, come in"), Some(1.0));
        // `opennow` has 7 characters, and 2 are wrong.
        assert_eq!(quoted(sign, "Opem Mow"), Some(1.0 - 2.0 / 7.0));
        assert_eq!(quoted(sign, ""), Some(0.0));
        // No more than the whole text can be lost.
        assert_eq!(quoted(sign, "something else altogether"), Some(0.0));
        // The lines of a sign are joined by nothing. Other white space counts as a character.
        assert_eq!(quoted(sign, "open\nnow"), Some(1.0));
        assert_eq!(quoted(sign, "open\tnow"), Some(1.0 - 1.0 / 7.0));
    }

    #[test]
    fn more_than_the_wanted_text_is_wrong_where_it_must_stand_alone() {
        let read = |text: &str, contained: bool| {
            let item: Item = serde_json::from_value(json!({"item": "a", "task": "text-to-image",
                "prompt": "p", "expect": {"texts": ["CAT"]}}))
            .unwrap();
            let seen: Evidence = serde_json::from_value(
                json!({"item": "a", "observer": "world", "evidence": {"text": text}}),
            )
            .unwrap();
            let rule = TextDistance(TextDistanceOptions {
                contained,
                ..TextDistanceOptions::default()
            });
            let case = Case {
                item: &item,
                repeat: 0,
                output: None,
                evidence: &[&seen],
            };
            rule.grade(&case).score.unwrap()
        };
        assert_eq!(read("CATS", true), 1.0);
        assert_eq!(read("CATS", false), 1.0 - 1.0 / 3.0);
        assert_eq!(read("CAT\nCAT", false), 0.0);
        assert_eq!(read("CAT", false), 1.0);
    }

    #[test]
    fn the_texts_of_an_item_are_joined() {
        let texts = json!({"texts": ["新年", "快乐"]});
        assert_eq!(
            verdict(Target::Texts, "p", texts, "新年快乐").score,
            Some(1.0)
        );
        let texts = json!({"texts": ["新年", "快乐"]});
        assert_eq!(verdict(Target::Texts, "p", texts, "新年").score, Some(0.5));
    }

    #[test]
    fn without_a_wanted_text_there_is_no_score() {
        let none = verdict(Target::Quoted, "a sign", json!({}), "x");
        assert!(none.unscored.unwrap().starts_with("the item's prompt"));
        let none = verdict(Target::Quoted, "a \" \" sign", json!({}), "x");
        assert!(none.unscored.unwrap().contains("is blank"));
        let none = verdict(Target::Texts, "a \"b\"", json!({}), "x");
        assert_eq!(none.score, None);
    }
}
