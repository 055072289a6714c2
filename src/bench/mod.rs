//! Measures how fast the networks are, with random weights of any size, by phase.

mod clock;
mod memory;
mod network;
mod networks;
mod report;

pub use clock::{Clock, Seconds};
pub use network::{NetworkKind, Shapes};
pub use networks::NETWORKS;
pub use report::Report;
