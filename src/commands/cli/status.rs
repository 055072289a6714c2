//! The arguments of `unigauge status`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge status`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge status
  unigauge status results/longtext/typeset/seed0 --watch

The exit code is 0 if every output of every run is there, and 5 otherwise.")]
pub(crate) struct StatusArgs {
    /// A run folder, or a folder of results
    #[arg(default_value = "results", value_hint = ValueHint::DirPath)]
    pub results: PathBuf,
    /// Print the state every ten seconds, until all runs are complete
    #[arg(long)]
    pub watch: bool,
}
