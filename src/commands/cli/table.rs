//! `unigauge table`.

use super::format::any;
use crate::table::Format;
use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge table                                        every table of printed numbers
  unigauge table geneval                                what papers printed on GenEval
  unigauge table --published 2507.22058                 the tables of one paper
  unigauge table geneval --published all --runs results/geneval/*/seed0
  unigauge table geneval --runs results/geneval/uniworld-v1/seed0 --pairs --format csv
  unigauge table imgedit -o imgedit.tex

A row marked ≠ was printed with an overall number that does not follow from its columns; a note says what they give. A run
stands beside the row of the same model: printed and measured value, their difference, the 95 % interval of the measured
value, and whether the printed one lies inside. What keeps them from being compared is marked `!`. The numbers are those
of results/published/SUITE.toml in the current folder, else those that the program carries.")]
pub struct TableArgs {
    /// Suites [default: those of the runs, or all that have printed numbers]
    #[arg(value_name = "SUITE")]
    pub suites: Vec<String>,
    /// Rows of papers: `all`, or words that a model's name or a source contains
    #[arg(long, value_name = "NAME", num_args = 1.., default_value = "all")]
    pub published: Vec<String>,
    /// Graded run folders
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = ValueHint::DirPath)]
    pub runs: Vec<PathBuf>,
    /// Only runs beside the printed rows of the same model, without the tables
    #[arg(long, requires = "runs")]
    pub pairs: bool,
    /// How to print [default: what the file's name says, or terminal]
    #[arg(long, value_parser = any())]
    pub format: Option<&'static Format>,
    /// Write into this file
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}
