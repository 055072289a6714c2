//! The arguments of `unigauge merge`.

use super::shard::WaitArgs;
use clap::Args;
use std::path::PathBuf;

/// The arguments of `unigauge merge`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run longtext --model typeset --shard 1/2 &
  unigauge run longtext --model typeset --shard 2/2
  unigauge merge results/longtext/typeset/seed0

What is missing is named, and the exit code is then 5.")]
pub(crate) struct MergeArgs {
    /// The run folders that the shards wrote into
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    pub wait: WaitArgs,
}
