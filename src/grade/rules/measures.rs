//! `measures`: several numbers of the evidence, each scaled to 0..1, are averaged. With the observer
//! `quality` this is technical quality without a learned model.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Case, Rule, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `measures`, described.
pub(super) const RULE: RuleDescription = RuleDescription::new::<MeasuresOptions>(
    "measures",
    "Several numbers of the evidence, each scaled to 0 to 1: their mean.",
    &[Reads::EvidenceOfOption("measures")],
    |options| Ok(Box::new(Measures::new(options.read()?)?)),
);

/// Options of `measures`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasuresOptions {
    /// The numbers.
    #[schemars(length(min = 1))]
    pub measures: Vec<ScaledMeasure>,
    /// The observer to believe where there are several.
    #[serde(default)]
    pub observer: Option<String>,
}

/// One number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScaledMeasure {
    /// The key in the evidence.
    pub key: String,
    /// The two numbers that become 0 and 1, with a straight line between them and cut off at both ends. The
    /// first is the larger one where less is better.
    pub scale: [f64; 2],
    /// Whether the line is straight in the logarithm of the number.
    #[serde(default)]
    pub logarithm: bool,
}

impl ScaledMeasure {
    /// Adding 0 makes −0 a 0.
    fn value(&self, number: f64) -> f64 {
        let on_line = |number: f64| if self.logarithm { number.ln() } else { number };
        let [zero, one] = self.scale.map(on_line);
        ((on_line(number) - zero) / (one - zero)).clamp(0.0, 1.0) + 0.0
    }
}

/// Score = mean of the scaled numbers. A part for each, by its key.
#[derive(Debug)]
pub(super) struct Measures(MeasuresOptions);

impl Measures {
    /// # Errors
    /// Fails if there is no number, or a scale makes no sense.
    fn new(options: MeasuresOptions) -> Result<Self, OptionError> {
        if options.measures.is_empty() {
            return Err(OptionError::value("measures", 0.0, "one number or more"));
        }
        for measure in &options.measures {
            let [zero, one] = measure.scale;
            let lowest = if measure.logarithm {
                0.0
            } else {
                f64::NEG_INFINITY
            };
            if let Some(odd) = measure
                .scale
                .into_iter()
                .find(|end| !end.is_finite() || *end <= lowest)
            {
                let expected = "two finite numbers, above 0 with a logarithm";
                return Err(OptionError::value("measures.scale", odd, expected));
            }
            if zero == one {
                let expected = "two numbers that differ";
                return Err(OptionError::value("measures.scale", zero, expected));
            }
        }
        Ok(Self(options))
    }

    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let mut parts = BTreeMap::new();
        for measure in &self.0.measures {
            let key = &measure.key;
            let evidence = lookup::find(case, key, self.0.observer.as_deref())?;
            let number = evidence[key].as_f64();
            let value = number.map(|number| measure.value(number));
            let value = value.filter(|value| !value.is_nan());
            let value = value.ok_or_else(|| {
                format!(
                    "malformed evidence: `{key}` is {}, no number that can be scaled",
                    evidence[key]
                )
            })?;
            parts.insert(key.clone(), value);
        }
        let score = parts.values().sum::<f64>() / parts.len() as f64;
        Ok(Verdict {
            score: Some(score),
            parts,
            ..Verdict::default()
        })
    }
}

impl Rule for Measures {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(scale: [f64; 2], logarithm: bool) -> ScaledMeasure {
        ScaledMeasure {
            key: "k".into(),
            scale,
            logarithm,
        }
    }

    #[test]
    fn a_number_lies_on_a_straight_line_that_is_cut_off() {
        let noise = measure([12.0, 1.0], false);
        assert_eq!(
            [12.0, 6.5, 1.0, 0.0, 20.0].map(|n| noise.value(n)),
            [0.0, 0.5, 1.0, 1.0, 0.0]
        );
        let sharp = measure([20.0, 2000.0], true);
        assert!((sharp.value(200.0) - 0.5).abs() < 1e-12);
        assert_eq!([0.0, 20.0, 5000.0].map(|n| sharp.value(n)), [0.0, 0.0, 1.0]);
        assert!(sharp.value(-1.0).is_nan());
    }

    #[test]
    fn scales_without_sense_are_refused() {
        let refused = |scale, logarithm| {
            let measures = vec![measure(scale, logarithm)];
            let observer = None;
            Measures::new(MeasuresOptions { measures, observer }).is_err()
        };
        assert!(refused([1.0, 1.0], false) && refused([0.0, f64::NAN], false));
        assert!(refused([0.0, 1.0], true) && !refused([0.0, 1.0], false));
    }
}
