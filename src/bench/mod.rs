//! How fast the networks are: random weights at any size, timed by phase.

mod clock;
mod memory;
mod networks;
mod xomni;

pub use clock::{Clock, Seconds};
pub use networks::{NETWORKS, Shapes, preset, run};

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What one benchmark measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the network.
    pub network: String,
    /// The configuration that the network was built from, as its checkpoint would have it.
    pub config: Value,
    /// Name of the device.
    pub device: String,
    /// Number format of the weights.
    pub dtype: &'static str,
    /// Threads of the CPU that the program may use.
    pub threads: usize,
    /// Number of parameters.
    pub parameters: u64,
    /// Sizes of the input that were measured.
    pub shapes: BTreeMap<&'static str, usize>,
    /// The times by phase.
    pub phases: BTreeMap<&'static str, Seconds>,
    /// Tokens by second at the median, where a phase has any.
    pub tokens_per_second: BTreeMap<&'static str, f64>,
    /// Largest resident memory of the process so far, in bytes (`VmHWM`). `None` if the system does not tell.
    pub peak_memory: Option<u64>,
    /// Version of the program.
    pub version: &'static str,
    /// Commit of the program.
    pub commit: &'static str,
}

impl Report {
    fn new(network: &str, config: Value, device: String, dtype: &'static str) -> Self {
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

    fn rate(&mut self, phase: &'static str, tokens: usize) {
        if let Some(seconds) = self.phases.get(phase) {
            let rate = tokens as f64 / seconds.median;
            self.tokens_per_second.insert(phase, rate);
        }
    }
}
