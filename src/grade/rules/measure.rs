//! `measure`: a number of the evidence is the score, such as `clip_t` or `hpsv2`.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lookup;
use crate::grade::rule::{Case, Rule, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

/// The description of `measure`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<MeasureOptions>(
    "measure",
    "A number of the evidence is the score.",
    &[Reads::EvidenceOfOption("key")],
    |options| Ok(Box::new(Measure(options.read()?))),
);

/// Options of `measure`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasureOptions {
    /// The key in the evidence.
    pub key: String,
    /// What the number is multiplied by. Default: 1.
    #[serde(default = "default_scale")]
    pub scale: f64,
    /// The observer to use if there are several.
    #[serde(default)]
    pub observer: Option<String>,
}

fn default_scale() -> f64 {
    1.0
}

/// The score is the number, scaled; the overall value is its mean over outputs.
#[derive(Debug)]
pub(super) struct Measure(pub MeasureOptions);

impl Rule for Measure {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let key = &self.0.key;
        let evidence = match lookup::find(case, key, self.0.observer.as_deref()) {
            Ok(evidence) => evidence,
            Err(why) => return Verdict::unscored(why),
        };
        match evidence[key].as_f64() {
            Some(value) => Verdict {
                score: Some(value * self.0.scale),
                ..Verdict::default()
            },
            None => Verdict::unscored(format!("malformed evidence: `{key}` is not a number")),
        }
    }
}
