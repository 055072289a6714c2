//! One number from the values of several components.

use super::WHOLE;
use super::component::Component;
use super::fault::{Fault, FaultKind};
use super::scored::Scored;
use crate::config::Combine;

/// Added to the standard deviation of a group before it divides.
const EPS: f64 = 1e-4;

/// The weighted mean or sum of the parts, times the gates; an error if nothing counts.
pub(super) fn total(combine: Combine, components: &[Component], scored: &mut Scored) {
    let added = components.iter().filter(|component| !component.is_gate());
    let parts = added.filter_map(|component| scored.parts.get(component.name()));
    let (mut sum, mut weights, mut any) = (0.0, 0.0, false);
    for part in parts {
        sum += part.weight * part.value;
        weights += part.weight;
        any = true;
    }
    let value = match combine {
        Combine::Sum if any => Some(sum),
        Combine::Mean | Combine::Normalise if weights > 0.0 => Some(sum / weights),
        _ => None,
    };
    match value {
        Some(value) => scored.reward = Some(value * gates(components, scored)),
        None => {
            scored.errors.insert(WHOLE.to_owned(), nothing_counts(any));
        }
    }
}

/// The product of the gates.
fn gates(components: &[Component], scored: &Scored) -> f64 {
    let gates = components.iter().filter(|component| component.is_gate());
    let parts = gates.filter_map(|component| scored.parts.get(component.name()));
    parts.map(|part| part.value).product()
}

fn nothing_counts(any: bool) -> Fault {
    let message = if any {
        "the weights of the components that apply to this prompt sum to 0; change the multipliers of its classes"
    } else {
        "no component applies to this prompt; add one that applies to every prompt, or leave the item out"
    };
    Fault::new(FaultKind::Metadata, message)
}

/// Replaces the values of each component by their z-scores within the whole rows of a group, and combines
/// them. The standard deviation divides by n − 1.
pub(super) fn normalise(components: &[Component], group: &mut [Scored]) {
    let mut whole: Vec<&mut Scored> = (group.iter_mut())
        // A failed output that the definition gives a reward has it already.
        .filter(|scored| scored.errors.is_empty() && scored.reward.is_none())
        .collect();
    if let [only] = &mut whole[..] {
        let message = "`combine = \"normalise\"` compares the outputs of a group, and this one alone is whole; \
                       make more outputs of each prompt (`--repeats 2` or more), or combine by \"mean\"";
        let fault = Fault::new(FaultKind::Group, message);
        only.reward = None;
        only.errors.insert(WHOLE.to_owned(), fault);
        return;
    }
    for component in components.iter().filter(|component| !component.is_gate()) {
        let name = component.name();
        let raw = |scored: &Scored| scored.parts.get(name).map(|part| part.raw);
        let numbers: Vec<f64> = whole.iter().filter_map(|scored| raw(scored)).collect();
        let (mean, deviation) = moments(&numbers);
        for scored in &mut whole {
            if let Some(part) = scored.parts.get_mut(name) {
                part.value = (part.raw - mean) / (deviation + EPS);
            }
        }
    }
    for scored in whole {
        total(Combine::Normalise, components, scored);
    }
}

/// The mean and the standard deviation (ddof 1); 0 for fewer than two numbers.
fn moments(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    if numbers.len() < 2 {
        return (mean, 0.0);
    }
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}
