//! What one benchmark measured.

use super::clock::Seconds;
use super::memory;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What one benchmark measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The network's name.
    pub network: String,
    /// The configuration that the network was built from, as its checkpoint would have it.
    pub config: Value,
    /// The device that the network ran on.
    pub device: String,
    /// The number format of weights and activations.
    pub dtype: &'static str,
    /// Threads of the CPU that the program may use.
    pub threads: usize,
    /// Numbers in all tensors of the network.
    pub parameters: u64,
    /// Sizes of the input that were measured.
    pub shapes: BTreeMap<&'static str, usize>,
    /// Seconds by phase.
    pub phases: BTreeMap<&'static str, Seconds>,
    /// Tokens by second at the median, where a phase has any.
    pub tokens_per_second: BTreeMap<&'static str, f64>,
    /// Largest resident memory of the process so far, in bytes (`VmHWM`). `None` if the system does not say.
    pub peak_memory: Option<u64>,
    /// The version of this program.
    pub version: &'static str,
    /// The commit that this program was built from.
    pub commit: &'static str,
}

impl Report {
    /// A report on which nothing is measured yet.
    pub(super) fn new(network: &str, config: Value, device: String, dtype: &'static str) -> Self {
        Self {
            network: network.into(),
            config,
            device,
            dtype,
            threads: rayon::current_num_threads(),
            parameters: 0,
            shapes: BTreeMap::new(),
            phases: BTreeMap::new(),
            tokens_per_second: BTreeMap::new(),
            peak_memory: None,
            version: env!("CARGO_PKG_VERSION"),
            commit: env!("UNIGAUGE_COMMIT"),
        }
    }

    /// Notes how many tokens a measured phase makes by second.
    pub(super) fn rate(&mut self, phase: &'static str, tokens: usize) {
        if let Some(seconds) = self.phases.get(phase) {
            let rate = tokens as f64 / seconds.median;
            self.tokens_per_second.insert(phase, rate);
        }
    }

    /// The report with what the process took until now.
    pub(super) fn finished(self) -> Self {
        Self {
            peak_memory: memory::peak(),
            ..self
        }
    }
}
