//! The arguments of `unigauge compare`.

use super::format::{one_of, texts};
use crate::table::Format;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge compare results/quick/typeset/seed0 results/quick/typeset-blur/seed0
  unigauge compare results/quick/*/seed0 --out comparison    # a page with the pictures that changed most
  unigauge compare results/*/*/seed0 --format latex > table.tex
  unigauge compare results/quick/*/seed0 --pairs --format markdown   # differences, intervals and p, to paste
  unigauge compare results/geneval/my-model/seed0 --published
  unigauge compare results/gedit-en/by-gpt/seed0 results/gedit-en/by-qwen/seed0 --allow-judges   # how far two judges agree

Every further run of a suite is paired with its first one, item by item: difference, 95 % interval, p, effect size, items
won, tied and lost, Holm's correction over groups. Formats of tables alone (markdown, latex, html, csv) leave that out,
unless `--pairs` asks for that alone.")]
pub struct CompareArgs {
    /// Run folders; the first one of a suite is what the others are compared with
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_parser = one_of(texts()), default_value = "terminal")]
    pub format: &'static Format,
    /// Show what papers printed on the suite below the runs
    #[arg(long)]
    pub published: bool,
    /// Print the paired results alone, in any format
    #[arg(long)]
    pub pairs: bool,
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write a page with the pictures of the items that changed most
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// How pairs are compared.
#[derive(Debug, Clone, Args)]
pub struct PairArgs {
    /// Chance of seeing a difference, for the smallest one that is seen and the items needed
    #[arg(long, default_value_t = 0.8, value_parser = share)]
    pub power: f64,
    /// Chance of a false alarm, for the same
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    pub level: f64,
    /// How intervals of differences are computed
    #[arg(long, value_enum, default_value_t = Interval::Bca)]
    pub interval: Interval,
    /// Resamples of the bootstrap, and exchanges of the permutation test
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = resamples)]
    pub resamples: usize,
}

/// Kinds of bootstrap intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Interval {
    /// Bias-corrected and accelerated
    Bca,
    Percentile,
}

/// What may differ beside the model; the result is then marked.
#[derive(Debug, Clone, Default, Args)]
pub struct AllowArgs {
    /// Compare different versions of a suite
    #[arg(long)]
    pub allow_version: bool,
    /// Compare items that were asked in other words, and suites that share their items
    #[arg(long)]
    pub allow_prompts: bool,
    /// Compare runs that other observers or judges looked at
    #[arg(long)]
    pub allow_observers: bool,
    /// Compare runs that other judges looked at, whatever the reason: mixed ones, and models that nobody asked for, too
    #[arg(long)]
    pub allow_judges: bool,
    /// Compare runs that were graded by other rules or options
    #[arg(long)]
    pub allow_grading: bool,
    /// Compare runs with missing, failed or unscored outputs, or of other items
    #[arg(long)]
    pub allow_partial: bool,
}

pub fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    match value > 0.0 && value < 1.0 {
        true => Ok(value),
        false => Err("expected a number between 0 and 1".to_owned()),
    }
}

fn resamples(text: &str) -> Result<usize, String> {
    let value: usize = text
        .parse()
        .map_err(|_| "expected a whole number".to_owned())?;
    match (100..=1_000_000).contains(&value) {
        true => Ok(value),
        false => Err("expected 100 to 1000000".to_owned()),
    }
}
