//! The arguments of `unigauge compare`.

use super::format::{one_of, texts};
use crate::table::Format;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge compare`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge compare results/quick/typeset/seed0 results/quick/typeset-blur/seed0
  unigauge compare results/quick/*/seed0 --out comparison    # a page with the items that changed most
  unigauge compare results/*/*/seed0 --format latex > table.tex
  unigauge compare results/quick/*/seed0 --pairs --format markdown   # differences, intervals and p
  unigauge compare results/geneval/my-model/seed0 --published
  unigauge compare results/gedit-en/by-gpt/seed0 results/gedit-en/by-qwen/seed0 --allow-judges   # two judges

Each later run of a suite is paired with the first run of that suite, item by item. The pairs show
the difference, its 95 % interval, p, the effect size, and the items won, tied and lost; p has Holm's
correction over the groups. The formats markdown, latex, html and csv print the table without the
pairs, or the pairs alone with `--pairs`.")]
pub(crate) struct CompareArgs {
    /// Run folders; the later runs of a suite are compared with its first one
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_parser = one_of(texts()), default_value = "terminal")]
    pub format: &'static Format,
    /// Show the published numbers of the suite below the runs
    #[arg(long)]
    pub published: bool,
    /// Print only the paired results, in any format
    #[arg(long)]
    pub pairs: bool,
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write a page with the pictures of the items that changed most into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// How pairs of runs are compared.
#[derive(Debug, Clone, Args)]
pub(crate) struct PairArgs {
    /// Statistical power for the smallest detectable difference and the number of items needed
    #[arg(long, default_value_t = 0.8, value_parser = share)]
    pub power: f64,
    /// Significance level for the same two numbers
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    pub level: f64,
    /// How the intervals of differences are computed
    #[arg(long, value_enum, default_value_t = Interval::Bca)]
    pub interval: Interval,
    /// Number of bootstrap resamples and of permutations
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = resamples)]
    pub resamples: usize,
}

/// Kinds of bootstrap intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Interval {
    /// Bias-corrected and accelerated
    Bca,
    /// From the percentiles of the resamples
    Percentile,
}

/// What may differ between two runs apart from the model. The result is then marked.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AllowArgs {
    /// Also compare runs of different versions of a suite
    #[arg(long)]
    pub allow_version: bool,
    /// Also compare items with different prompts, and suites that share their items
    #[arg(long)]
    pub allow_prompts: bool,
    /// Also compare runs with different observers or judges
    #[arg(long)]
    pub allow_observers: bool,
    /// Also compare runs with different judges, including runs with several judges, and judges
    /// where another model answered than the one requested
    #[arg(long)]
    pub allow_judges: bool,
    /// Also compare runs that were graded with different rules or options
    #[arg(long)]
    pub allow_grading: bool,
    /// Also compare runs with different items, or with missing, failed or unscored outputs
    #[arg(long)]
    pub allow_partial: bool,
}

/// Reads a number strictly between 0 and 1.
///
/// # Errors
///
/// The text is not such a number.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err("expected a number between 0 and 1".to_owned())
    }
}

fn resamples(text: &str) -> Result<usize, String> {
    let value: usize = text
        .parse()
        .map_err(|_| "expected a whole number".to_owned())?;
    if (100..=1_000_000).contains(&value) {
        Ok(value)
    } else {
        Err("expected a number from 100 to 1000000".to_owned())
    }
}
