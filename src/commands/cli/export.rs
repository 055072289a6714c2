//! `unigauge export`.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// Files for other programs.
#[derive(Debug, Clone, Subcommand)]
pub enum ExportCommand {
    /// The outputs of several runs in one long table: one row an output, with suite, model and run
    #[command(after_help = "\
Examples:
  unigauge export items results/geneval/*/seed0 -o geneval.parquet
  unigauge export items results/*/*/seed0 -o all.csv")]
    Items(ItemsExportArgs),
    /// One results file a run, as lm-evaluation-harness writes them
    #[command(after_help = "\
Examples:
  unigauge export lm-eval results/geneval/*/seed0 -o lm-eval     # lm-eval/MODEL/results_SUITE_RUN_TIME.json")]
    LmEval(LmEvalArgs),
}

#[derive(Debug, Clone, Args)]
pub struct ItemsExportArgs {
    /// Graded run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The file: .parquet or .csv
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct LmEvalArgs {
    /// Graded run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The folder
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}
