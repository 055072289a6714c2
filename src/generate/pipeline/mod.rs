//! The common part of the generators that run networks in this process. A pipeline describes its phases once,
//! from configurations alone. `check`, `check --keys`, the plan of the device's memory and the chain that
//! runs the phases all read this description.

mod chain;
mod checkpoint;
mod fault;
mod network;
mod part;
mod phase;
mod plan;
mod scratch;
mod stage;

pub(super) use chain::Chain;
pub(super) use checkpoint::{CheckpointFolder, Location};
pub(super) use fault::{fatal, running};
pub(super) use network::{AnyNetwork, Network, NetworkInfo};
pub use part::{Part, phases};
pub use phase::Phase;
pub use plan::plan_lines;
pub(super) use scratch::{Key, Named};
pub(super) use stage::{Made, Stage, Step};
