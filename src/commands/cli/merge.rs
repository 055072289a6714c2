//! The arguments of `unigauge merge`.

use super::shard::WaitArgs;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge merge`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run longtext --model typeset --shard 1/2 &
  unigauge run longtext --model typeset --shard 2/2
  unigauge merge results/longtext/typeset/seed0
  unigauge merge s3://bucket/results/longtext/typeset/seed0

What is missing is named, and the exit code is then 5.")]
pub(crate) struct MergeArgs {
    /// The run folders that the shards wrote into; or places in an object store, whose runs are copied to
    /// DIR/SUITE/MODEL/RUN, joined there and copied back
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Folder of the results of runs in an object store
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    #[command(flatten)]
    pub wait: WaitArgs,
}
