//! The arguments of `unigauge history`.

use super::format::one_of;
use crate::config::Metric;
use crate::table::Format;
use crate::table::formats::{CSV, HTML, JSON, MARKDOWN, TERMINAL};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge history`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge history geneval
  unigauge history quick --model my-model --metric overall language=zh --since 2026-01-01
  unigauge history quick --format csv > history.csv
  unigauge history -o history/                              # a page with charts, for every suite

Change points are sought among the complete runs that have the same items, version, observers, judges
and rule; the other runs are marked. Each change point is shown with the differences between the
manifests of the runs before and after it.")]
pub(crate) struct HistoryArgs {
    /// The suite [default: every suite that has runs]
    pub suite: Option<String>,
    /// Folder of the results, with the subfolders SUITE/MODEL/RUN
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub results: PathBuf,
    /// Show only these models
    #[arg(long, short, value_name = "MODEL", num_args = 1..)]
    pub model: Vec<String>,
    /// The numbers to show: overall, correct, TAG=KEY, part:NAME, or the name of a metric of the summaries
    #[arg(long, value_name = "METRIC", num_args = 1.., default_value = "overall", value_parser = metric)]
    pub metric: Vec<Metric>,
    /// Show only the runs that started on this day (UTC) or later, such as 2026-01-31
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub since: Option<jiff::Timestamp>,
    /// Probability of finding a change point in a series without a change
    #[arg(long, default_value_t = 0.05, value_parser = super::compare::share)]
    pub level: f64,
    /// How to print
    #[arg(long, value_parser = one_of(FORMATS), default_value = "terminal")]
    pub format: &'static Format,
    /// Write index.html, charts, history.json, history.csv and history.md into this folder
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// How a history is printed.
const FORMATS: [&Format; 5] = [&TERMINAL, &MARKDOWN, &CSV, &JSON, &HTML];

fn metric(text: &str) -> Result<Metric, String> {
    match Metric::try_from(text.to_owned())? {
        Metric::Groups(by) => Err(format!("write one group, such as {by}=KEY")),
        metric => Ok(metric),
    }
}

fn day(text: &str) -> Result<jiff::Timestamp, String> {
    let day: jiff::civil::Date = text
        .parse()
        .map_err(|_| "expected a day such as 2026-01-31".to_owned())?;
    let start = day.to_zoned(jiff::tz::TimeZone::UTC);
    start
        .map(|zoned| zoned.timestamp())
        .map_err(|error| error.to_string())
}
