//! The arguments of `unigauge observe`.

use super::SelectArgs;
use super::shard::ShardArgs;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge observe`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge observe results/longtext/typeset/seed0
  unigauge observe results/longtext/typeset/seed0 --shard auto --shards 16   # one task of an array
  unigauge observe --suite longtext --images ./their-images --name their-model")]
pub(crate) struct ObserveArgs {
    /// The run folder whose outputs are observed
    #[arg(required_unless_present = "images", conflicts_with = "images")]
    pub run: Option<PathBuf>,
    /// The suite whose official layout the images follow
    #[arg(long, requires = "images")]
    pub suite: Option<String>,
    /// A folder of images in the official layout of the suite
    #[arg(long, value_name = "FOLDER", requires = "suite", value_hint = ValueHint::DirPath)]
    pub images: Option<PathBuf>,
    /// Follow links that lead out of the folder [default: only links into the cache of the Hugging Face
    /// Hub]
    #[arg(long, requires = "images")]
    pub follow_links: bool,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", requires = "images", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    /// Name of the model that made the images, shown in tables
    #[arg(long, default_value = "folder")]
    pub name: String,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub shard: ShardArgs,
    /// Folder of the results; this run is written to DIR/SUITE/NAME/RUN
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Number of outputs that are observed at the same time [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Device that the observers' networks run on
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
}
