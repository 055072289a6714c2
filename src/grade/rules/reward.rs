//! `reward`: a run is graded by a reward, from the evidence that it has.

use crate::config::{self, RewardDefinition};
use crate::grade::apply;
use crate::grade::description::{Reads, RuleDescription};
use crate::grade::reward::{Fault, Part, Reward, RewardError, Scored, WHOLE};
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::evidence::{Detections, TextReading};
use crate::record::{Evidence, Grade, Item};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What a verdict says of an output whose group is not complete yet.
const PENDING: &str = "missing group";

/// `reward`, described.
pub(super) const RULE: RuleDescription = RuleDescription::new::<RewardOptions>(
    "reward",
    "A reward: several rules weighed by the prompt.",
    &[
        Reads::Answer,
        Reads::Evidence(Detections::KEY),
        Reads::Evidence(TextReading::KEY),
    ],
    |options| Ok(Box::new(RewardRule::open(&options.read()?)?)),
);

/// Options of `reward`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RewardOptions {
    /// The reward: a name of `unigauge list rewards`, or the path of a TOML file.
    pub reward: String,
}

/// Score = the reward. Parts: the value of each component that applies. An output of which something is
/// missing has no score.
pub(super) struct RewardRule(Reward);

impl RewardRule {
    /// # Errors
    /// Fails if there is no such reward, or it has a mistake.
    fn open(options: &RewardOptions) -> Result<Self, RewardError> {
        let loaded = config::reward(&options.reward, Path::new(""))?;
        Reward::open(&loaded.definition).map(Self)
    }

    fn verdict(&self, scored: &Scored) -> Verdict {
        let parts = scored.parts.iter();
        let mut verdict = Verdict {
            score: scored.reward,
            parts: parts
                .map(|(name, part)| (name.clone(), part.value))
                .collect(),
            reason: reason(scored),
            ..Verdict::default()
        };
        if scored.reward.is_some() {
            return verdict;
        }
        if scored.errors.is_empty() {
            verdict.unscored = Some(PENDING.to_owned());
            return verdict;
        }
        verdict.notes = scored
            .errors
            .iter()
            .map(|(name, fault)| note(name, fault))
            .collect();
        verdict.unscored = Some(missing(&scored.errors));
        verdict
    }

    /// A grade of an item as a reward whose group is not settled.
    fn pending(&self, item: &Item, grade: &Grade) -> Scored {
        let weights = self.0.weights(item);
        let parts = grade.parts.iter().map(|(name, raw)| {
            let weight = weights.get(name).copied().unwrap_or_default();
            let (raw, value) = (*raw, *raw);
            (name.clone(), Part { raw, value, weight })
        });
        // Every component that applies has a part, since the evidence is whole.
        let absent = |name: &&String| grade.parts.get(name).is_none();
        let components = self.0.definition().components.iter().map(|c| &c.name);
        Scored {
            parts: parts.collect(),
            classes: self.0.classes(item),
            not_applicable: components.filter(absent).cloned().collect(),
            ..Scored::default()
        }
    }
}

/// `missing: component text: observer ppocr: timeout: …`. The first word is the state that the summary counts.
fn missing(errors: &BTreeMap<String, Fault>) -> String {
    let told = errors.iter().map(|(name, fault)| match name.as_str() {
        WHOLE => fault.message.clone(),
        name => format!("component {name}: {}", fault.message),
    });
    format!("missing: {}", told.collect::<Vec<_>>().join("; "))
}

/// What the summary counts of a fault.
fn note(name: &str, fault: &Fault) -> String {
    let kind = fault.kind;
    match name {
        WHOLE => format!("no reward ({kind})"),
        name => format!("no reward, since component {name} is missing ({kind})"),
    }
}

/// The classes of the prompt, and the components with their weights.
fn reason(scored: &Scored) -> String {
    let mut said = Vec::new();
    if !scored.classes.is_empty() {
        said.push(format!("classes: {}", scored.classes.join(", ")));
    }
    said.extend(scored.parts.iter().map(|(name, part)| match part.weight {
        0.0 => format!("{name} {:.4}", part.value),
        weight => format!("{name} {:.4} × {weight}", part.value),
    }));
    if !scored.not_applicable.is_empty() {
        said.push(format!(
            "does not apply: {}",
            scored.not_applicable.join(", ")
        ));
    }
    said.join("; ")
}

impl Rule for RewardRule {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let mut verdict = self.verdict(&self.0.score_case(case));
        let failure = case.output.and_then(|output| output.error.as_deref());
        if let Some(failure) = failure.filter(|_| verdict.score.is_none()) {
            // The summary counts failed outputs apart from missing evidence.
            verdict.unscored = Some(apply::failure_text(failure));
            verdict.notes.clear();
        }
        verdict
    }

    fn takes_all(&self) -> bool {
        true
    }

    fn doubt(&self, evidence: &[Evidence]) -> Option<String> {
        self.0.doubt(evidence)
    }

    /// With `combine = "normalise"`, the outputs of an item are the group.
    fn settle(&self, items: &[Item], grades: &mut [Grade]) {
        let mut of_items: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, grade) in grades.iter().enumerate() {
            if grade.unscored.as_deref() == Some(PENDING) {
                of_items.entry(grade.item.clone()).or_default().push(place);
            }
        }
        for item in items {
            let Some(places) = of_items.remove(&item.item) else {
                continue;
            };
            let group = places
                .iter()
                .map(|place| self.pending(item, &grades[*place]));
            let mut group: Vec<Scored> = group.collect();
            self.0.settle(&mut group);
            for (place, scored) in places.into_iter().zip(&group) {
                put(&mut grades[place], self.verdict(scored));
            }
        }
    }

    /// The mean of each component, over the outputs that have it.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        board.mean_parts()
    }

    fn notes(&self, _board: &Board<'_>) -> Vec<String> {
        let definition = self.0.definition();
        let fingerprint = self.0.fingerprint();
        let own = format!(
            "reward {}, fingerprint {}",
            definition.name,
            &fingerprint[..12]
        );
        std::iter::once(own)
            .chain(definition.notes.iter().cloned())
            .chain(own_settings(definition))
            .collect()
    }
}

/// The note on settings of observers, which the evidence of a run folder may not have been made with.
fn own_settings(definition: &RewardDefinition) -> Option<String> {
    let observers = definition.observe.iter();
    let named: Vec<String> = observers
        .filter(|(_, settings)| !settings.is_empty())
        .map(|(observer, settings)| format!("{observer} {}", settings.to_json()))
        .collect();
    let named = (!named.is_empty()).then(|| named.join(", "))?;
    Some(format!(
        "the reward has its own settings of observers ({named}); the evidence here has those of its suite"
    ))
}

/// Replaces what a grade says by a verdict.
fn put(grade: &mut Grade, verdict: Verdict) {
    grade.score = verdict.score;
    grade.parts = verdict.parts.into();
    grade.reason = verdict.reason;
    grade.unscored = verdict.unscored;
    for note in &verdict.notes {
        crate::record::add_note(&mut grade.extra, note);
    }
}
