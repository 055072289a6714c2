//! The run folder and the engine: plan, resume, shard, progress.
//!
//! The folder has these rules. Files of records are only appended to, and a line is written after the picture
//! that it names is durable. Every line has the fingerprint of what made it. Seeds derive from the run's
//! seed, the item and the repeat, so results do not depend on order, shards or interruptions. A failure is a
//! record, never a silent zero.

mod asked;
mod beat;
mod chain;
mod definition;
mod division;
mod engine;
mod error;
mod event;
mod fingerprint;
mod folder;
mod journal;
mod locks;
mod loose;
mod manifest;
mod merge;
mod output;
mod parquet;
mod plan;
mod queue;
mod records;
mod remarks;
mod scoring;
mod seed;
mod server_requests;
mod shard;
mod sources;
mod store;
mod tally;

pub use asked::Asked;
pub use beat::{Beat, BeatState};
pub use chain::Chains;
pub use definition::{
    ManifestDefinition, ManifestModel, ManifestSuite, ResolvedModel, grading_note,
};
pub use engine::{GeneratorFactory, Making, Outcome, Work};
pub use error::RunError;
pub use event::{Event, Listener, Silent};
pub use folder::{RunFolder, Stream, folders, run_folders};
pub use journal::{read_all, to_lines};
pub use locks::{Patience, Purpose};
pub use manifest::{Changed, Execution, FORMAT_VERSION, Host, Manifest, Part, Program, Selection};
pub use merge::{Division, Merged};
pub use parquet::{RunGrades, read_grades, write_items};
pub use plan::Plan;
pub use records::Records;
pub use scoring::{Scored, Scoring, Source, score};
pub use seed::derive_seed;
pub use server_requests::ServerRequests;
pub use shard::{Shard, array_expression};
pub use store::{read_json, write_json};
pub use tally::Tally;
