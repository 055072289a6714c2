//! The arguments of `unigauge report`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge report results/quick/typeset/seed0
  unigauge report results/quick/*/seed0 --out comparison/")]
pub struct ReportArgs {
    /// Run folders; several make one comparison
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Folder of the report [default: `report` in the run folder; needed for several runs]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Show what papers printed on the suite below the runs
    #[arg(long)]
    pub published: bool,
}
