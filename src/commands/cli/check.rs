//! The arguments of `unigauge check`.

use super::SelectArgs;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge check`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge check                                 # all definitions, the cache and the device
  unigauge check quick                           # the plan of a study
  unigauge check longtext --model typeset --limit 20
  unigauge check geneval --model uniworld-v1 --vram-budget 24GB   # which networks take turns in memory
  unigauge check uniworld-v1                     # its files, sizes, licences, memory and weights
  unigauge check uniworld-v1 --quick             # without reading every number of the weights
  unigauge check uniworld-v1 --keys              # every tensor that its networks read")]
pub(crate) struct CheckArgs {
    /// A study, a model, a reward, or a suite with `--model`; without a target, everything that is defined is
    /// checked
    pub target: Option<String>,
    /// Models, each a name, a TOML file, a Python file (my_model.py, my_model.py:function),
    /// diffusers:REPO_OR_FOLDER or transformers:REPO_OR_FOLDER
    #[arg(long, short, value_name = "MODEL", num_args = 1..)]
    pub model: Vec<String>,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Number of outputs per item, instead of the suite's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: Option<u32>,
    /// The run seed [default: the study's, or 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Name of the run
    #[arg(long = "run", value_name = "NAME")]
    pub run_name: Option<String>,
    /// Folder that a run would write its results to
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Device that the networks in this process run on
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
    /// Device memory for the weights of the networks in this process, such as 24GB
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
    /// List every tensor that the model's networks read: name, shape and type. The target is a model.
    /// Only its configuration is needed; without the checkpoint, the released configuration is used
    #[arg(long, conflicts_with = "model")]
    pub keys: bool,
    /// Layout in which `--keys` lists a FLUX transformer
    #[arg(long, value_enum, default_value_t = Layout::Diffusers, requires = "keys")]
    pub layout: Layout,
    /// Check only the names, shapes and lengths of a model's weights, without reading all their numbers
    #[arg(long, conflicts_with_all = ["model", "keys"])]
    pub quick: bool,
}

/// The layouts in which FLUX transformers are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// The layout of the library diffusers.
    Diffusers,
    /// The layout of the authors, Black Forest Labs.
    Bfl,
}
