//! What the generators that run networks in this process share: a pipeline says its phases once, from
//! configurations alone, and `check`, `check --keys`, the plan of the device's memory and the chain that runs
//! them read the same phases.

mod chain;
mod checkpoint;
mod fault;
mod network;
mod part;
mod phase;
mod plan;
mod scratch;
mod stage;

pub use chain::Chain;
pub use checkpoint::{CheckpointFolder, Location};
pub use fault::{fatal, running};
pub use network::{AnyNetwork, Network, NetworkInfo};
pub use part::{Part, phases};
pub use phase::Phase;
pub use plan::plan_lines;
pub use scratch::{Key, Named};
pub use stage::{Made, Stage, Step};
