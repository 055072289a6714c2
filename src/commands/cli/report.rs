//! The arguments of `unigauge report`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge report`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge report results/quick/typeset/seed0
  unigauge report results/quick/*/seed0 --out comparison/
  unigauge report results/quick/typeset/seed0 --out sent/ --single-file")]
pub(crate) struct ReportArgs {
    /// Run folders; several runs are shown in one comparison
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Folder of the report; required for several runs [default: `report` in the run folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Show the published numbers of the suite below the runs
    #[arg(long)]
    pub published: bool,
    /// Put pictures and cards into the page, so that `index.html` can be sent on alone
    #[arg(long)]
    pub single_file: bool,
}
