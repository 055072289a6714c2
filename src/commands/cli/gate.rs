//! The arguments of `unigauge gate`.

use super::AllowArgs;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge gate results/quick/my-model/seed0 --baseline baseline.json
  unigauge gate results/*/my-model/seed0 --baseline baseline.json --policy my-policy.toml --out gate
  unigauge gate results/quick/new/seed0 --baseline results/quick/old/seed0 --fail-on breach

A rule is breached when the number fell by more than is allowed and a test gives evidence of a drop.
Exit codes: 0 pass · 3 breach · 5 inconclusive: a drop without evidence, or too little to tell")]
pub struct GateArgs {
    /// Run folders to judge
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// A baseline file (see `unigauge baseline`) or a run folder; several of either
    #[arg(long, short, required = true, value_name = "FILE|RUN", num_args = 1.., value_hint = ValueHint::AnyPath)]
    pub baseline: Vec<PathBuf>,
    /// The policy: a name or a TOML file
    #[arg(long, short, default_value = "default")]
    pub policy: String,
    /// Which verdicts fail
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub fail_on: FailOn,
    /// Report, and never fail
    #[arg(long)]
    pub informational: bool,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write index.html, verdict.json, junit.xml and summary.md here
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write the JUnit XML here
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
}

/// Verdicts that end in a failing exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Only a breach
    Breach,
    /// A breach, and a verdict that is inconclusive
    Inconclusive,
    /// None
    Never,
}
