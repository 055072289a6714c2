//! The arguments of `unigauge baseline`.

use super::{AllowArgs, PairArgs};
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// What `unigauge baseline` does.
#[derive(Debug, Clone, Subcommand)]
pub enum BaselineCommand {
    /// Keep the scores of runs in a file, one run a suite and model
    Save(BaselineSaveArgs),
    /// Compare runs with those of a baseline file, as `unigauge compare` does
    Compare(BaselineCompareArgs),
    /// Put runs in the place of the baseline's, and note why
    Accept(BaselineAcceptArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline save results/quick/my-model/seed0 --to baseline.json
  unigauge baseline save results/*/my-model/seed0 --to baseline.json")]
pub struct BaselineSaveArgs {
    /// Run folders
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// The baseline file; runs of other suites and models in it are kept
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub to: PathBuf,
    /// Replace a run of the same suite and model
    #[arg(long)]
    pub replace: bool,
    /// Keep runs with missing, failed or unscored outputs, too
    #[arg(long)]
    pub allow_partial: bool,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline compare baseline.json results/quick/my-model/seed1")]
pub struct BaselineCompareArgs {
    /// The baseline file
    #[arg(value_hint = ValueHint::FilePath)]
    pub baseline: PathBuf,
    /// Run folders
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write a page with the items that changed most
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline accept baseline.json results/quick/my-model/seed0 --reason \"smaller model, agreed in #41\"")]
pub struct BaselineAcceptArgs {
    /// The baseline file
    #[arg(value_hint = ValueHint::FilePath)]
    pub baseline: PathBuf,
    /// Run folders that take the place of the baseline's runs
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Why the new scores are right; it stays in the file
    #[arg(long)]
    pub reason: String,
    /// Accept runs with missing, failed or unscored outputs, too
    #[arg(long)]
    pub allow_partial: bool,
}
