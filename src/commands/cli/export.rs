//! The arguments of `unigauge export`.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// The files that `unigauge export` writes for other programs.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ExportCommand {
    /// Write the outputs of several runs into one long table: one row for each output, with suite,
    /// model and run
    #[command(after_help = "\
Examples:
  unigauge export items results/geneval/*/seed0 -o geneval.parquet
  unigauge export items results/*/*/seed0 -o all.csv")]
    Items(ItemsExportArgs),
    /// Write one results file for each run, in the format of lm-evaluation-harness
    #[command(after_help = "\
Examples:
  unigauge export lm-eval results/geneval/*/seed0 -o lm-eval     # lm-eval/MODEL/results_SUITE_RUN_TIME.json")]
    LmEval(LmEvalArgs),
}

/// The arguments of `unigauge export items`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ItemsExportArgs {
    /// Graded run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The file: .parquet or .csv
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
}

/// The arguments of `unigauge export lm-eval`.
#[derive(Debug, Clone, Args)]
pub(crate) struct LmEvalArgs {
    /// Graded run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The folder to write into
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}
