//! What a reward says of one output.

use super::fault::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The reward of one output, and how it came about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scored {
    /// The reward. `None` if something is missing, as `errors` says; with `combine = "normalise"` also until
    /// the group is settled.
    pub reward: Option<f64>,
    /// The components that apply and whose evidence is there, by their names.
    pub parts: BTreeMap<String, Part>,
    /// The classes of the prompt, in the order of the definition.
    pub classes: Vec<String>,
    /// The components that do not apply to the prompt, in the order of the definition.
    pub not_applicable: Vec<String>,
    /// Why components have no value, by their names; what concerns the whole reward is under
    /// [`WHOLE`](super::WHOLE).
    pub errors: BTreeMap<String, Fault>,
}

/// The part of one component.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The number of the rule, before the scale.
    pub raw: f64,
    /// The number that is combined: after the scale, or the z-score within the group.
    pub value: f64,
    /// The weight for this prompt, with the multipliers of its classes. 0 for a gate.
    pub weight: f64,
}
