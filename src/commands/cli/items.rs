//! The arguments of `unigauge items`.

use super::SelectArgs;
use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge items geneval --official | sha256sum
  unigauge items longtext-zh --limit 3
  unigauge items quick --only en-sign-01")]
pub struct ItemsArgs {
    /// A suite: name or TOML file
    pub suite: String,
    /// In the benchmark's own format (GenEval: evaluation_metadata.jsonl, byte for byte)
    #[arg(long, conflicts_with_all = ["limit", "only"])]
    pub official: bool,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
}
