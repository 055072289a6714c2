//! The arguments of `unigauge items`.

use super::SelectArgs;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge items`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge items geneval --official | sha256sum
  unigauge items longtext-zh --limit 3
  unigauge items quick --only en-sign-01")]
pub(crate) struct ItemsArgs {
    /// The suite, a name or a TOML file
    pub suite: String,
    /// Print the items in the benchmark's own format, byte for byte (GenEval: evaluation_metadata.jsonl)
    #[arg(long, conflicts_with_all = ["limit", "only"])]
    pub official: bool,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
}
