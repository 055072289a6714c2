//! The arguments of `unigauge study`.

use super::{AllowArgs, PairArgs};
use crate::report::chart::Width;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge study`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run type-quality                      # makes the runs and then this page
  unigauge study type-quality                    # makes the page again from the existing runs
  unigauge study ./encoders.toml --width page --out encoders

The command writes index.html, table.md, table.tex, table.csv, study.json, and each chart as SVG and
PNG. The page names the missing runs. If there are any, the exit code is 5.")]
pub(crate) struct StudyArgs {
    /// A study with a factor: a name (see `unigauge list studies`) or a TOML file
    pub study: String,
    /// Folder of the results, which contains the runs
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub results: PathBuf,
    /// Folder of the page [default: studies/NAME in the folder of the results]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Use the runs that were made with `--limit N`
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Width of the charts in print
    #[arg(long, value_enum, default_value_t = ChartWidth::Column)]
    pub width: ChartWidth,
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub allow: AllowArgs,
}

/// The widths of charts in print.
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
