//! The arguments of `unigauge list`.

use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge list
  unigauge list suites
  unigauge list runs --out results")]
pub struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    pub what: Option<Listable>,
    /// Folder of the results
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listable {
    Suites,
    Models,
    Studies,
    Policies,
    Published,
    Trainings,
    Generators,
    Observers,
    Rules,
    Assets,
    Runs,
}
