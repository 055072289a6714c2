//! The arguments of `unigauge merge`.

use clap::Args;
use std::path::PathBuf;

/// The arguments of `unigauge merge`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run longtext --model typeset --shard 1/2 &
  unigauge run longtext --model typeset --shard 2/2
  unigauge merge results/longtext/typeset/seed0")]
pub(crate) struct MergeArgs {
    /// The run folder that the shards wrote into
    pub run: PathBuf,
}
