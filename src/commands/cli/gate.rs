//! The arguments of `unigauge gate`.

use super::AllowArgs;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge gate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge gate results/quick/my-model/seed0 --baseline baseline.json
  unigauge gate results/*/my-model/seed0 --baseline baseline.json --policy my-policy.toml --out gate
  unigauge gate results/quick/new/seed0 --baseline results/quick/old/seed0 --fail-on breach

A rule is breached when its number fell by more than the policy allows and a statistical test gives
evidence of the drop. A larger drop without such evidence is inconclusive, and so are too few items.
Exit codes: 0 pass · 3 breach · 5 inconclusive")]
pub(crate) struct GateArgs {
    /// The run folders to judge
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Baseline files (see `unigauge baseline`) or run folders
    #[arg(long, short, required = true, value_name = "FILE|RUN", num_args = 1.., value_hint = ValueHint::AnyPath)]
    pub baseline: Vec<PathBuf>,
    /// The policy, a name or a TOML file
    #[arg(long, short, default_value = "default")]
    pub policy: String,
    /// The verdicts that end with a failing exit code
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub fail_on: FailOn,
    /// Report the verdict, and end with exit code 0
    #[arg(long)]
    pub informational: bool,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write index.html, thumbs, verdict.json, junit.xml and summary.md into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write the JUnit XML to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
}

/// The verdicts that end with a failing exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Only a breach
    Breach,
    /// A breach or an inconclusive verdict
    Inconclusive,
    /// None
    Never,
}
