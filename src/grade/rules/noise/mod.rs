//! `noise`: what is recognised on a ladder of noise, in restored pictures or in a model's words, and how near
//! restored pictures are to the clean ones.

mod curve;
mod mistakes;
mod pair;
mod seen;
mod words;

pub use pair::{NoisePair, missed_sources, noise_pairs};
pub use words::excess_in_words;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::Failure;
use crate::record::evidence::{Answers, Detections, Field, Restored, TextReading, read};
use curve::Curves;
use schemars::JsonSchema;
use seen::Recognition;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The description of `noise`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<NoiseOptions>(
    "noise",
    "What is recognised on a ladder of noise, and the level at which half is lost.",
    &[
        Reads::Answer,
        Reads::Evidence(Detections::KEY),
        Reads::Evidence(Answers::KEY),
        Reads::Evidence(TextReading::KEY),
        Reads::Evidence(Restored::KEY),
    ],
    |options| Ok(Box::new(Noise(options.read()?))),
);

/// Options of `noise`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NoiseOptions {
    /// The observer that recognises what restored pictures show, if there are several: one that detects the
    /// things of the miniature world, one that answers the question in `expect.propositions`, or one that reads
    /// the text of a picture with one word.
    pub reader: Option<String>,
}

/// The kind of a failure if the model refuses, and the part that marks it.
const REFUSED: &str = "refused";
/// PSNR of equal pictures, in decibels.
const CAP: f64 = 100.0;

/// Score 1 if what is shown is recognised. Parts: `swap` (something else of the set was recognised),
/// `nothing` (also if the model `refused`), `things` (the share of the things of a scene that are right), and
/// for pictures `psnr`, `ssim`, `lpips`, `gain`, `gain_rescaled` and `better`.
pub(super) struct Noise(NoiseOptions);

impl Noise {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let picture = pixel_parts(case);
        let found = seen::recognise(case, self.0.reader.as_deref());
        let mut verdict = match found {
            Ok(found) => recognised(&found),
            // A picture that nobody can read has its pixel measures at least.
            Err(lack) if picture.is_empty() => return Err(lack),
            Err(lack) => Verdict::unscored(lack),
        };
        verdict.parts.extend(picture);
        Ok(verdict)
    }
}

fn recognised(found: &Recognition) -> Verdict {
    let number = |flag: bool| f64::from(u8::from(flag));
    let mut parts = BTreeMap::from([
        ("nothing".to_owned(), number(found.nothing)),
        ("swap".to_owned(), number(!found.right && !found.nothing)),
    ]);
    if let Some(share) = found.things {
        parts.insert("things".to_owned(), share);
    }
    let mut verdict = Verdict::scored(number(found.right), found.right, found.said.clone());
    verdict.parts = parts;
    verdict
}

/// The measures of a restored picture. Empty without evidence of `restoration`.
fn pixel_parts(case: &Case<'_>) -> BTreeMap<String, f64> {
    let mut parts = BTreeMap::new();
    if let Ok(evidence) = lookup::find(case, Restored::KEY, None) {
        let seen: Restored = read(evidence);
        let psnr = decibels(&seen.psnr_clean);
        let [input, rescaled] = [&seen.psnr_input, &seen.psnr_rescaled].map(decibels);
        let gain = |before: Option<f64>| Some(psnr? - before?);
        let numbers = [
            ("psnr", psnr),
            ("ssim", seen.ssim_clean.get().copied()),
            ("gain", gain(input)),
            ("gain_rescaled", gain(rescaled)),
            (
                "better",
                gain(input).map(|gain| f64::from(u8::from(gain > 0.0))),
            ),
            ("resized", Some(f64::from(u8::from(seen.resized)))),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                parts.insert(name.to_owned(), number);
            }
        }
    }
    if let Ok(evidence) = lookup::find(case, "lpips_target", None)
        && let Some(distance) = evidence["lpips_target"].as_f64()
    {
        parts.insert("lpips".to_owned(), distance);
    }
    parts
}

/// A PSNR, at most [`CAP`]. Null is that of equal pictures.
fn decibels(field: &Field<f64>) -> Option<f64> {
    match field {
        Field::Null => Some(CAP),
        field => field.get().map(|value| value.min(CAP)),
    }
}

impl Rule for Noise {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    /// A refusal recognises nothing. It has no picture, and so no pixel measures.
    fn grade_failure(&self, failure: &Failure) -> Option<Verdict> {
        if failure.kind != REFUSED {
            return None;
        }
        let mut verdict = recognised(&Recognition {
            right: false,
            nothing: true,
            things: None,
            said: format!("refused: {}", failure.message),
        });
        verdict.parts.insert(REFUSED.to_owned(), 1.0);
        Some(verdict)
    }

    fn needs(&self) -> &'static [&'static str] {
        &["scene", "label", "answer", "answers"]
    }

    /// `t_half`: the level at which half of what is recognised without noise is lost, with the ends `_low`
    /// and `_high` of its interval and `_reached`. `t_gain`: the first level at which restored pictures are
    /// no nearer to the clean ones than the noisy ones, on average. With several kinds of noise, the names
    /// end with the kind. A level or an end that is beyond the highest level is absent.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        Curves::of(board).metrics()
    }

    fn notes(&self, board: &Board<'_>) -> Vec<String> {
        let mut notes = vec![
            "t_half is the level at which half of the share without noise (above chance) is lost; its interval resamples sources. Levels beyond the highest one are absent."
                .to_owned(),
        ];
        notes.extend(Curves::of(board).in_words());
        let resized = board
            .grades
            .iter()
            .filter(|grade| grade.parts.get("resized") == Some(&1.0));
        let resized = resized.count();
        let refused = board.grades.iter();
        let refused = refused.filter(|grade| grade.parts.get(REFUSED) == Some(&1.0));
        let refused = refused.count();
        if refused > 0 {
            notes.push(format!(
                "{refused} outputs were refused: they count as nothing recognised, and have no pixel measures"
            ));
        }
        if resized > 0 {
            notes.push(format!(
                "{resized} outputs were resized to the clean picture's size; their PSNR and SSIM are lower for it"
            ));
        }
        notes
    }
}

/// A text of the item's `expect`.
fn expected<'a>(case: &Case<'a>, key: &str) -> Option<&'a str> {
    case.item.expect.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
