//! The arguments of `unigauge table`.

use super::format::any;
use crate::table::Format;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge table`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge table                                        all published numbers
  unigauge table geneval                                the published numbers of GenEval
  unigauge table --published 2507.22058                 the tables of one paper
  unigauge table geneval --published all --runs results/geneval/*/seed0
  unigauge table geneval --runs results/geneval/uniworld-v1/seed0 --pairs --format csv
  unigauge table imgedit -o imgedit.tex

A published row marked ≠ has an overall number that does not follow from its columns; a note gives the
number that does. A run is shown next to the published row of the same model, with both values, their
difference, the 95 % interval of the measured value, and whether the published value lies in it. The
mark `!` names what makes them incomparable. The published numbers come from
results/published/SUITE.toml in the current folder, or else from the program.")]
pub(crate) struct TableArgs {
    /// The suites [default: those of the runs, or all with published numbers]
    #[arg(value_name = "SUITE")]
    pub suites: Vec<String>,
    /// The published rows to show: `all`, or parts of the names of models or sources
    #[arg(long, value_name = "NAME", num_args = 1.., default_value = "all")]
    pub published: Vec<String>,
    /// Graded run folders to show next to the published rows
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = ValueHint::DirPath)]
    pub runs: Vec<PathBuf>,
    /// Print only the comparison of the runs with the published rows of the same model
    #[arg(long, requires = "runs")]
    pub pairs: bool,
    /// Correct the comparisons of each run for their number (Holm), and say which numbers differ
    #[arg(long, requires = "runs")]
    pub corrected: bool,
    /// How to print [default: what the file's name says, or terminal]
    #[arg(long, value_parser = any())]
    pub format: Option<&'static Format>,
    /// Write to this file
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}
