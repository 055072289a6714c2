//! Arguments of `unigauge study`.

use super::{AllowArgs, PairArgs};
use crate::report::chart::Width;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run type-quality                      # makes the runs, then this page
  unigauge study type-quality                    # the page again, from the runs that are there
  unigauge study ./encoders.toml --width page --out encoders

Writes index.html, table.md, table.tex, table.csv, study.json and every chart as SVG and PNG. Runs that are missing are
named on the page, and the exit code is 5.")]
pub struct StudyArgs {
    /// A study with a factor: a name (see `unigauge list studies`) or a TOML file
    pub study: String,
    /// Folder of the results that the runs are in
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub results: PathBuf,
    /// Folder of the page [default: studies/NAME in the results]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// The runs that were made with `--limit N`
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How wide charts are printed
    #[arg(long, value_enum, default_value_t = ChartWidth::Column)]
    pub width: ChartWidth,
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub allow: AllowArgs,
}

/// Widths of charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChartWidth {
    /// 88 mm
    Column,
    /// 180 mm
    Page,
}

impl From<ChartWidth> for Width {
    fn from(width: ChartWidth) -> Self {
        match width {
            ChartWidth::Column => Self::Column,
            ChartWidth::Page => Self::Page,
        }
    }
}
