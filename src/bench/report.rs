//! The results of one benchmark.

use super::clock::Seconds;
use super::memory;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The results of one benchmark.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The name of the network.
    pub network: String,
    /// The configuration of the network, in the form of a checkpoint.
    pub config: Value,
    /// The device on which the network ran.
    pub device: String,
    /// The number format of weights and activations.
    pub dtype: &'static str,
    /// Number of CPU threads that the program may use.
    pub threads: usize,
    /// Number of values in all tensors of the network.
    pub parameters: u64,
    /// The sizes of the measured input.
    pub shapes: BTreeMap<&'static str, usize>,
    /// Seconds by phase.
    pub phases: BTreeMap<&'static str, Seconds>,
    /// Tokens per second at the median, for phases with tokens.
    pub tokens_per_second: BTreeMap<&'static str, f64>,
    /// Largest resident memory of the process so far, in bytes (`VmHWM`). `None` if the system does not
    /// report it.
    pub peak_memory: Option<u64>,
    /// The version of this program.
    pub version: &'static str,
    /// The commit from which this program was built.
    pub commit: &'static str,
}

impl Report {
    /// A report without measurements.
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

    /// Adds the number of tokens per second of a measured phase.
    pub(super) fn rate(&mut self, phase: &'static str, tokens: usize) {
        if let Some(seconds) = self.phases.get(phase) {
            let rate = tokens as f64 / seconds.median;
            self.tokens_per_second.insert(phase, rate);
        }
    }

    /// The report, with the memory of the process until now.
    pub(super) fn finished(self) -> Self {
        Self {
            peak_memory: memory::peak(),
            ..self
        }
    }
}
