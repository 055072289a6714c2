//! The arguments of `unigauge watch`.

use super::SelectArgs;
use super::shard::seconds;
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// The arguments of `unigauge watch`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge watch runs/42/samples --suite geneval --name run-42
  unigauge watch runs/42/samples --suite geneval --name run-42 --once    # score what is there, and end
  unigauge history geneval --model run-42                                # the scores over the checkpoints

Each sub-folder has the samples of one checkpoint, in the official layout of the suite, and becomes one
run. It is complete when it has a file `done`, or when nothing in it changed for the time of `--settle`.
Runs that are there are not made again, so the same command continues after an interruption.")]
pub(crate) struct WatchArgs {
    /// The folder into which a training writes a folder of samples for each checkpoint
    #[arg(value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// The suite whose official layout the samples follow
    #[arg(long)]
    pub suite: String,
    /// Name of the model in the results [default: the name of the folder]
    #[arg(long)]
    pub name: Option<String>,
    /// Time without a change after which a folder of samples is complete
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub settle: Duration,
    /// Score the folders that are there, and end
    #[arg(long)]
    pub once: bool,
    /// Follow links that lead out of a folder of samples [default: only links into the cache of the
    /// Hugging Face Hub]
    #[arg(long)]
    pub follow_links: bool,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Folder of the results; each folder of samples is scored into DIR/SUITE/NAME/FOLDER
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Number of outputs that are observed at the same time [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Device that the observers' networks run on
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
}
