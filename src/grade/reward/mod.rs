//! A reward: arithmetic on evidence. Rules make a number of what observers saw, and the mix weighs the
//! numbers.
//!
//! Three things are kept apart. A component that *does not apply* to a prompt is left out of the mean, for
//! every output of that prompt. A component whose value is *0* counts. A component whose evidence is
//! *missing* takes the whole reward of that output away: there is no reward then, and [`Scored::errors`] says
//! why.

mod classes;
mod combine;
mod component;
mod error;
mod fault;
mod fingerprint;
mod quotes;
mod scored;
mod target;

pub use error::RewardError;
pub use fault::{Fault, FaultKind};
pub use quotes::quoted_spans;
pub(super) use quotes::straight_spans;
pub use scored::{Part, Scored};

use super::rule::Case;
use crate::config::{Combine, RewardDefinition};
use crate::record::{Evidence, Item, Output};
use classes::Classes;
use component::{Component, Outcome};
use std::collections::BTreeMap;

/// The name under which [`Scored::errors`] has what concerns the whole reward.
pub const WHOLE: &str = "reward";

/// A reward with its rules built.
pub struct Reward {
    definition: RewardDefinition,
    components: Vec<Component>,
    classes: Classes,
    fingerprint: String,
}

impl Reward {
    /// Builds the rules of a definition.
    ///
    /// # Errors
    /// Fails if the definition has a mistake, or a component names a rule that there is not, or options that
    /// the rule does not have.
    pub fn open(definition: &RewardDefinition) -> Result<Self, RewardError> {
        definition.check()?;
        let components = definition.components.iter();
        Ok(Self {
            components: components
                .map(|component| Component::open(&definition.name, component))
                .collect::<Result<_, _>>()?,
            classes: Classes::new(&definition.classes)?,
            fingerprint: fingerprint::of(definition),
            definition: definition.clone(),
        })
    }

    /// The definition that it was opened from.
    pub fn definition(&self) -> &RewardDefinition {
        &self.definition
    }

    /// SHA-256, in hexadecimal digits, of everything that shapes the numbers: the definition without its
    /// prose, and the versions of the mix and of its rules.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// The reward of one output, from the evidence about it; evidence of observers that the reward does not
    /// name is skipped. With `combine = "normalise"` the reward is `None` until [`Reward::settle`].
    pub fn score(&self, item: &Item, output: &Output, evidence: &[Evidence]) -> Scored {
        let evidence: Vec<&Evidence> = evidence.iter().collect();
        self.score_case(&Case {
            item,
            repeat: output.repeat,
            output: Some(output),
            evidence: &evidence,
        })
    }

    /// The same for a case of a rule, whose output may be unknown.
    pub(super) fn score_case(&self, case: &Case<'_>) -> Scored {
        let names = &self.definition.observers;
        let evidence: Vec<&Evidence> = (case.evidence.iter().copied())
            .filter(|seen| names.contains(&seen.observer))
            .collect();
        let mut scored = Scored {
            classes: self.classes.of(case.item),
            ..Scored::default()
        };
        let item = target::with_texts(case.item);
        let case = Case {
            item: item.as_ref(),
            evidence: &evidence,
            ..*case
        };
        if let Some(failure) = case.output.and_then(|output| output.error.as_deref()) {
            let fault = Fault::of_output(failure);
            return self.without_picture(scored, BTreeMap::from([(WHOLE.to_owned(), fault)]));
        }
        for component in &self.components {
            self.look(component, &case, &mut scored);
        }
        let broken = |fault: &Fault| fault.kind == FaultKind::Picture;
        if scored.errors.values().any(broken) {
            let errors = std::mem::take(&mut scored.errors);
            return self.without_picture(scored, errors);
        }
        if scored.errors.is_empty() && self.definition.combine != Combine::Normalise {
            combine::total(self.definition.combine, &self.components, &mut scored);
        }
        scored
    }

    /// The value of one component, into what is known of the output.
    fn look(&self, component: &Component, case: &Case<'_>, scored: &mut Scored) {
        let name = component.name().to_owned();
        if !component.applies(case, &scored.classes) {
            scored.not_applicable.push(name);
            return;
        }
        match component.value(case, self.definition.combine) {
            Outcome::Value { raw, value } => {
                let weight = self.weight(component, &scored.classes);
                scored.parts.insert(name, Part { raw, value, weight });
            }
            Outcome::Fault(fault) => {
                scored.errors.insert(name, fault);
            }
        }
    }

    /// The classes of an item's prompt, in the order of the definition.
    pub fn classes(&self, item: &Item) -> Vec<String> {
        self.classes.of(item)
    }

    /// The weight of each component for an item's prompt, by the components' names. A gate has the weight 0.
    pub fn weights(&self, item: &Item) -> BTreeMap<String, f64> {
        let classes = self.classes(item);
        let weight = |component: &Component| self.weight(component, &classes);
        let components = self.components.iter();
        components
            .map(|component| (component.name().to_owned(), weight(component)))
            .collect()
    }

    /// Why all evidence together cannot be believed, as a rule of a component says it.
    pub(super) fn doubt(&self, evidence: &[Evidence]) -> Option<String> {
        self.components.iter().find_map(|component| {
            let why = component.rule()?.doubt(evidence)?;
            let name = component.name();
            Some(format!(
                "{why}; set it in the options of the reward's component `{name}`"
            ))
        })
    }

    fn weight(&self, component: &Component, classes: &[String]) -> f64 {
        if component.is_gate() {
            return 0.0;
        }
        component.weight() * self.multiplier(component.name(), classes)
    }

    /// The product of what the prompt's classes multiply a component's weight with.
    fn multiplier(&self, component: &str, classes: &[String]) -> f64 {
        let has = (self.definition.classes.iter()).filter(|class| classes.contains(&class.name));
        has.filter_map(|class| class.weights.get(component))
            .product()
    }

    /// An output that the model failed to make: its reward is `failed_output`, or else it has none.
    fn without_picture(&self, mut scored: Scored, errors: BTreeMap<String, Fault>) -> Scored {
        scored.reward = self.definition.failed_output;
        if scored.reward.is_none() {
            scored.errors = errors;
        } else {
            scored.parts.clear();
        }
        scored
    }

    /// Finishes the rewards of one group: the repeats of an item, or the rollouts of a prompt. With
    /// `combine = "normalise"` each value becomes its z-score within the whole rows of the group; rows with
    /// errors stay as they are. Otherwise nothing changes.
    pub fn settle(&self, group: &mut [Scored]) {
        if self.definition.combine == Combine::Normalise {
            combine::normalise(&self.components, group);
        }
    }
}

impl std::fmt::Debug for Reward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reward")
            .field("name", &self.definition.name)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
