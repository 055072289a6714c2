//! How phases share the memory of a device, in words.

/// The number of requests that run through a phase together if the networks do not all fit into memory.
pub(super) const PHASED_CHUNK: usize = 64;

/// One line for each phase with the size of its weights, and then lines about the budget.
pub fn plan_lines(phases: &[(&str, u64)], budget: Option<u64>) -> Vec<String> {
    let size = |bytes: u64| bytesize::ByteSize(bytes).display().si().to_string();
    let mut lines: Vec<String> = phases
        .iter()
        .map(|(name, bytes)| format!("phase {name}: {} of weights", size(*bytes)))
        .collect();
    let all: u64 = phases.iter().map(|(_, bytes)| bytes).sum();
    let largest = phases.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    lines.push(match budget {
        Some(budget) if all > budget => format!(
            "the networks take turns within {}, with {PHASED_CHUNK} outputs per turn: at most {} in memory",
            size(budget),
            size(largest.max(budget.min(all)))
        ),
        _ => format!("all in memory: {}, and activations in addition", size(all)),
    });
    if let Some(budget) = budget.filter(|&budget| largest > budget) {
        lines.push(format!(
            "the largest phase alone needs {}, which is more than the budget of {}",
            size(largest),
            size(budget)
        ));
    }
    lines
}
