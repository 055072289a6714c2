//! The arguments of `unigauge check`.

use super::SelectArgs;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge check                                 # all definitions, the cache, the device
  unigauge check quick                           # the plan of a study
  unigauge check longtext --model typeset --limit 20
  unigauge check geneval --model uniworld-v1 --vram-budget 24GB   # which networks take turns
  unigauge check uniworld-v1                     # its files, sizes, licences, memory, weights
  unigauge check uniworld-v1 --quick             # without reading all numbers of the weights
  unigauge check uniworld-v1 --keys              # every tensor that its networks ask for")]
pub struct CheckArgs {
    /// A study, a model, or a suite when models are given; none checks everything that is defined
    pub target: Option<String>,
    /// Models: names or TOML files
    #[arg(long, short, value_name = "MODEL", num_args = 1..)]
    pub model: Vec<String>,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Outputs per item, instead of the suite's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: Option<u32>,
    /// The run seed [default: the study's, or 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Name of the run
    #[arg(long = "run", value_name = "NAME")]
    pub run_name: Option<String>,
    /// Where results would go
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Device of in-process networks
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
    /// Device memory for the weights of in-process networks, such as 24GB
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
    /// List every tensor that the model's networks ask for (name, shape, dtype); the target is a model. Needs its
    /// configuration only: the released one stands in where the checkpoint is not here
    #[arg(long, conflicts_with = "model")]
    pub keys: bool,
    /// The layout that `--keys` lists a FLUX transformer in
    #[arg(long, value_enum, default_value_t = Layout::Diffusers, requires = "keys")]
    pub layout: Layout,
    /// Look at names, shapes and lengths of a model's weights only, and do not read all their numbers
    #[arg(long, conflicts_with_all = ["model", "keys"])]
    pub quick: bool,
}

/// Layouts that FLUX transformers are published in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    Diffusers,
    /// Black Forest Labs' own.
    Bfl,
}
