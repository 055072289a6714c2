//! The options and commands of object stores.

use super::shard::{WaitArgs, seconds};
use crate::sync::Address;
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// The options of a command whose runs are copied to an object store.
#[derive(Debug, Clone, Args)]
pub(crate) struct SyncArgs {
    /// Place in an object store that the runs are copied to while they are made: s3://BUCKET/PREFIX,
    /// gs://BUCKET/PREFIX or az://CONTAINER/PREFIX; the credentials come from environment variables
    #[arg(long, value_name = "ADDRESS")]
    pub sync: Option<Address>,
    /// Time between two copies
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub sync_every: Duration,
}

/// The arguments of `unigauge pull`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge pull s3://bucket/results
  unigauge pull s3://bucket/results/longtext/typeset/seed0 --out /data/results

Lines that only the local journals have stay there. Other files are replaced if those in the store are newer.")]
pub(crate) struct PullArgs {
    /// A run in an object store, or a prefix above several: s3://BUCKET/PREFIX, gs://… or az://…
    #[arg(value_name = "ADDRESS")]
    pub from: Address,
    /// Folder of the results; each run is written to DIR/SUITE/MODEL/RUN
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// The arguments of `unigauge push`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge push results s3://bucket/results
  unigauge push results/longtext/typeset/seed0 gs://bucket/results

Each run is written to ADDRESS/SUITE/MODEL/RUN.")]
pub(crate) struct PushArgs {
    /// A run folder, or a folder of results
    #[arg(value_hint = ValueHint::DirPath)]
    pub results: PathBuf,
    /// Place in an object store: s3://BUCKET/PREFIX, gs://… or az://…
    #[arg(value_name = "ADDRESS")]
    pub to: Address,
    #[command(flatten)]
    pub wait: WaitArgs,
}
