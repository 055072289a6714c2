//! The arguments of `unigauge list`.

use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge list`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge list
  unigauge list suites
  unigauge list runs --out results")]
pub(crate) struct ListArgs {
    /// What to list [default: everything but the assets]
    #[arg(value_enum)]
    pub what: Option<Listable>,
    /// Folder of the results
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

/// The kinds of things that `unigauge list` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listable {
    /// Suites of items with their observers and rule
    Suites,
    /// Models, each with the settings of its generator
    Models,
    /// Studies, which run several suites and models
    Studies,
    /// Policies of `unigauge gate`
    Policies,
    /// Rewards, which weigh the numbers of several rules
    Rewards,
    /// Suites with published numbers
    Published,
    /// Trainings of networks
    Trainings,
    /// Generators, which make outputs
    Generators,
    /// Observers, which describe outputs
    Observers,
    /// Rules, which grade outputs
    Rules,
    /// Files to fetch, and which are in the cache
    Assets,
    /// Runs in the folder of the results
    Runs,
}
