//! The arguments of `unigauge baseline`.

use super::{AllowArgs, PairArgs};
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// The actions of `unigauge baseline`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Save the scores of runs in a file, with one run for each suite and model
    Save(BaselineSaveArgs),
    /// Compare runs with the runs in a baseline file, as `unigauge compare` does
    Compare(BaselineCompareArgs),
    /// Replace runs in a baseline file by new ones, and record the reason
    Accept(BaselineAcceptArgs),
}

/// The arguments of `unigauge baseline save`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline save results/quick/my-model/seed0 --to baseline.json
  unigauge baseline save results/*/my-model/seed0 --to baseline.json")]
pub(crate) struct BaselineSaveArgs {
    /// The run folders to save
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// The baseline file; the runs of other suites and models in it stay
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub to: PathBuf,
    /// Replace the run of the same suite and model, without recording a reason
    #[arg(long)]
    pub replace: bool,
    /// Save runs with missing, failed or unscored outputs too
    #[arg(long)]
    pub allow_partial: bool,
}

/// The arguments of `unigauge baseline compare`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline compare baseline.json results/quick/my-model/seed1")]
pub(crate) struct BaselineCompareArgs {
    /// The baseline file
    #[arg(value_hint = ValueHint::FilePath)]
    pub baseline: PathBuf,
    /// The run folders to compare with it
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write a page with the items that changed most into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// The arguments of `unigauge baseline accept`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline accept baseline.json results/quick/my-model/seed0 --reason \"smaller model, agreed in #41\"")]
pub(crate) struct BaselineAcceptArgs {
    /// The baseline file
    #[arg(value_hint = ValueHint::FilePath)]
    pub baseline: PathBuf,
    /// The run folders that replace the runs in the baseline
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Why the new scores are right; the file records this reason
    #[arg(long)]
    pub reason: String,
    /// Accept runs with missing, failed or unscored outputs too
    #[arg(long)]
    pub allow_partial: bool,
}
