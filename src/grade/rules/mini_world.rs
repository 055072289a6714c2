//! `mini-world`: what the observer `world` saw of a scene of the miniature world, without the extras that
//! GenEval's rule allows.

use super::geneval::strict_on;
use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::{Detections, text_alone};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The observer that knows the shapes of the miniature world.
const OBSERVER: &str = "world";

/// `mini-world`, described.
pub(super) const RULE: RuleDescription = RuleDescription::new::<MiniWorldOptions>(
    "mini-world",
    "The miniature world: a scene has exactly what is asked for.",
    &[Reads::Evidence(Detections::KEY)],
    |options| {
        Ok(Box::new(MiniWorld {
            options: options.read()?,
            strict: strict_on(OBSERVER)?,
        }))
    },
);

/// Options of `mini-world`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MiniWorldOptions {
    /// The number that is the score. Default: `exact`.
    pub score: ScoreOf,
}

/// A number that may be the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ScoreOf {
    /// 1 if GenEval's rule holds, there are as many things as the prompt names, every part of the picture is
    /// like a thing, and there are no letters; else 0.
    #[default]
    Exact,
    /// 1 if GenEval's rule holds, else 0.
    Strict,
    /// How well the things fill the shapes that they have: the mean intersection over union, 0 for no thing.
    Overlap,
}

/// Parts: `exact`, `strict`, `overlap`, and `things`, their number.
pub(super) struct MiniWorld {
    options: MiniWorldOptions,
    strict: Box<dyn Rule>,
}

impl MiniWorld {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let strict = self.strict.grade(case);
        let Some(right) = strict.score else {
            return Err(strict.why_unscored());
        };
        let evidence = lookup::find(case, Detections::KEY, Some(OBSERVER))?;
        let things = evidence[Detections::KEY]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let letters = text_alone(evidence).unwrap_or_default();
        let unknown = evidence["unknown"].as_u64().unwrap_or_default();
        let named = named(case.item.expect.get("include"));
        let exact =
            right == 1.0 && things.len() as u64 == named && unknown == 0 && letters.is_empty();
        let exact = f64::from(u8::from(exact));
        let overlap = overlap(things)?;
        let score = match self.options.score {
            ScoreOf::Exact => exact,
            ScoreOf::Strict => right,
            ScoreOf::Overlap => overlap,
        };
        let things = things.len() as f64;
        let parts = [
            ("exact", exact),
            ("strict", right),
            ("overlap", overlap),
            ("things", things),
        ];
        let mut reason = format!("{things} things of {named}, {unknown} unknown");
        for said in [&strict.reason, letters]
            .into_iter()
            .filter(|said| !said.is_empty())
        {
            reason.push_str("; ");
            reason.push_str(said);
        }
        Ok(Verdict {
            score: Some(score),
            parts: BTreeMap::from(parts.map(|(name, value)| (name.to_owned(), value))),
            reason,
            ..Verdict::default()
        })
    }
}

/// How many things the clauses ask for together.
fn named(include: Option<&Value>) -> u64 {
    let clauses = include.and_then(Value::as_array).into_iter().flatten();
    clauses.filter_map(|clause| clause["count"].as_u64()).sum()
}

/// The mean overlap of the things with their shapes; 0 for none.
fn overlap(things: &[Value]) -> Result<f64, String> {
    if things.is_empty() {
        return Ok(0.0);
    }
    let overlaps = things.iter().map(|thing| thing["overlap"].as_f64());
    let sum: Option<f64> = overlaps.sum();
    let sum =
        sum.ok_or("incomplete evidence: a thing has no `overlap`; look with the observer `world`")?;
    Ok(sum / things.len() as f64)
}

impl Rule for MiniWorld {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn needs(&self) -> &'static [&'static str] {
        &["include"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Evidence, Item};
    use serde_json::json;

    fn verdict(score: ScoreOf, things: &[f64], unknown: u64, text: &str) -> Verdict {
        let item: Item =
            serde_json::from_value(json!({"item": "a", "task": "text-to-image", "prompt": "p",
            "expect": {"include": [{"class": "circle", "count": 1}]}}))
            .unwrap();
        let thing = |overlap: &f64| json!({"class": "circle", "score": 1.0, "box": [0, 0, 6, 6], "color": "red", "overlap": overlap});
        let things: Vec<Value> = things.iter().map(thing).collect();
        let seen: Evidence = serde_json::from_value(json!({"item": "a", "observer": "world",
            "evidence": {"detections": things, "unknown": unknown, "text": text}}))
        .unwrap();
        let options = MiniWorldOptions { score };
        let strict = strict_on(OBSERVER).unwrap_or_else(|_| panic!("its options are right"));
        MiniWorld { options, strict }.grade(&Case {
            item: &item,
            repeat: 0,
            output: None,
            evidence: &[&seen],
        })
    }

    #[test]
    fn extras_unknown_parts_and_letters_are_not_exact() {
        let exact =
            |things: &[f64], unknown, text| verdict(ScoreOf::Exact, things, unknown, text).score;
        assert_eq!(exact(&[0.9], 0, ""), Some(1.0));
        assert_eq!(exact(&[0.9, 0.9], 0, ""), Some(0.0));
        assert_eq!(exact(&[0.9], 1, ""), Some(0.0));
        assert_eq!(exact(&[0.9], 0, "A"), Some(0.0));
        assert_eq!(exact(&[], 0, ""), Some(0.0));
        let extra = verdict(ScoreOf::Strict, &[0.9, 0.9], 1, "A");
        assert_eq!(extra.score, Some(1.0));
    }

    #[test]
    fn the_overlap_is_a_mean_and_nothing_has_none() {
        assert_eq!(
            verdict(ScoreOf::Overlap, &[0.75, 0.25], 0, "").score,
            Some(0.5)
        );
        assert_eq!(verdict(ScoreOf::Overlap, &[], 0, "").score, Some(0.0));
    }
}
