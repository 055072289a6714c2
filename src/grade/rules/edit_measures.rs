//! `edit-measures`: the measures of an edit become a grade. One measure is the score, and others are parts.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::evidence::{Similarities, is_own_region, why_absent};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Below this changed share, an output changed nothing. Above the second one, it changed everything.
const NOTHING: f64 = 0.001;
const EVERYTHING: f64 = 0.9;

/// The description of `edit-measures`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<EditMeasuresOptions>(
    "edit-measures",
    "One measure of an edit as the score, such as PSNR, and others beside it.",
    &[
        Reads::EvidenceOfOption("measure"),
        Reads::EvidenceOfOption("parts"),
    ],
    |options| Ok(Box::new(EditMeasures::new(options.read()?)?)),
);

/// Options of `edit-measures`. A measure is a key of the evidence, or a path such as `outside.psnr`, written
/// by the observers `edit-pixels` and `edit-similarity`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditMeasuresOptions {
    /// The measure that is the score.
    pub measure: String,
    /// What the score is multiplied by. Default: 1.
    #[serde(default = "default_scale")]
    pub scale: f64,
    /// Further measures by the name of the part.
    #[serde(default)]
    pub parts: BTreeMap<String, Part>,
    /// The largest PSNR that counts, in decibels. It also counts if nothing differs. Without it, such an
    /// output has no PSNR.
    #[serde(default)]
    pub psnr_cap: Option<f64>,
    /// Accept measures inside or outside of a region that comes from the output itself. They say nothing
    /// about preservation: what differs counts as inside.
    #[serde(default)]
    pub own_region: bool,
}

/// A measure and what it is multiplied by.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Part {
    /// The measure's key, as it is.
    Plain(String),
    /// The measure's key, and what is done with the number.
    Scaled {
        /// The measure's key.
        key: String,
        /// What the number is multiplied by. Default: 1.
        #[serde(default = "default_scale")]
        scale: f64,
        /// The value that a lower one counts as, before scaling.
        #[serde(default)]
        least: Option<f64>,
    },
}

fn default_scale() -> f64 {
    1.0
}

impl Part {
    fn key(&self) -> &str {
        match self {
            Self::Plain(key) | Self::Scaled { key, .. } => key,
        }
    }

    fn value(&self, value: f64) -> f64 {
        match self {
            Self::Plain(_) => value,
            Self::Scaled { scale, least, .. } => value.max(least.unwrap_or(value)) * scale,
        }
    }
}

/// The score is one measure, scaled. The overall value is its mean over outputs, and the same holds for each
/// part. Parts that the evidence lacks are left out.
#[derive(Debug)]
pub(super) struct EditMeasures(EditMeasuresOptions);

impl EditMeasures {
    /// # Errors
    /// Fails if the cap is not a positive number.
    pub(super) fn new(options: EditMeasuresOptions) -> Result<Self, OptionError> {
        if let Some(cap) = options
            .psnr_cap
            .filter(|cap| !(*cap > 0.0 && cap.is_finite()))
        {
            let wanted = "a number of decibels above 0";
            return Err(OptionError::value("psnr_cap", cap, wanted));
        }
        Ok(Self(options))
    }

    /// The value at a path.
    ///
    /// Fails if there is none. The error is worded for the grade's `unscored`.
    /// Why there is none, worded for the grade's `unscored`.
    fn read(&self, case: &Case<'_>, path: &str) -> Result<f64, Lack> {
        let mut keys = path.split('.');
        let first = keys.next().unwrap_or_default();
        let evidence = match lookup::find(case, first, None) {
            Ok(evidence) => evidence,
            Err(why) => return Err(why_not_measured(case, first).map_or(why, Lack::from)),
        };
        let regional = matches!(first, "inside" | "outside");
        if regional && is_own_region(evidence) && !self.0.own_region {
            return Err(Lack::of_record(format!(
                "no region: `{path}` needs a `mask` or `target` in the item's `expect`; that of the output itself says \
                 nothing about what was to be kept"
            )));
        }
        let holder = match path.rsplit_once('.') {
            Some((holder, _)) => holder.split('.').fold(evidence, |at, key| &at[key]),
            None => evidence,
        };
        let last = path.rsplit('.').next().unwrap_or_default();
        match (&holder[last], last) {
            (Value::Number(number), "psnr") => {
                let value = number.as_f64().unwrap_or(f64::NAN);
                Ok(self.0.psnr_cap.map_or(value, |cap| value.min(cap)))
            }
            (Value::Number(number), _) => Ok(number.as_f64().unwrap_or(f64::NAN)),
            (Value::Null, "psnr") if holder["l2"].as_f64() == Some(0.0) => {
                self.0.psnr_cap.ok_or_else(|| {
                    let words = format!(
                        "`{path}` is infinite: nothing differs; name a `psnr_cap` to count it"
                    );
                    words.into()
                })
            }
            (Value::Null, _) => Err(format!("the evidence has no value for `{path}`").into()),
            _ => Err(format!("malformed evidence: `{path}` is not a number").into()),
        }
    }
}

/// Why an observer could not take a measure, in its own words.
fn why_not_measured(case: &Case<'_>, key: &str) -> Option<String> {
    let evidence = lookup::find(case, Similarities::ABSENT, None).ok()?;
    let why = why_absent(evidence, key)?;
    Some(format!("`{key}` was not measured: {why}"))
}

impl Rule for EditMeasures {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let mut parts = BTreeMap::new();
        let measure = &self.0.measure;
        let score = self.read(case, measure);
        for (name, part) in &self.0.parts {
            if let Ok(value) = self.read(case, part.key()) {
                parts.insert(name.clone(), part.value(value));
            }
        }
        let mut reason = Vec::new();
        if let Ok(value) = &score {
            reason.push(format!("{measure} {value:.4}"));
        }
        if let Ok(changed) = self.read(case, "edit_fraction") {
            reason.push(format!("{:.1} % of the pixels changed", 100.0 * changed));
            parts.insert("noop".into(), f64::from(u8::from(changed < NOTHING)));
            parts.insert("global".into(), f64::from(u8::from(changed > EVERYTHING)));
        }
        let verdict = match score {
            Ok(value) => Verdict {
                score: Some(value * self.0.scale),
                ..Verdict::default()
            },
            Err(why) => Verdict::unscored(why),
        };
        Verdict {
            parts,
            reason: reason.join("; "),
            ..verdict
        }
    }

    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        board.mean_parts()
    }
}
