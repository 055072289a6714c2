//! The arguments of `unigauge run`.

use crate::run::Shard;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Which items.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectArgs {
    /// Only the first N items
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Only these items, by id
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    pub only: Vec<String>,
    /// OCR engines that read the texts instead of the suite's own, such as qwen-ocr; the row says so
    #[arg(long = "observer", value_name = "OBSERVER", num_args = 1..)]
    pub observers: Vec<String>,
    /// Options of the suite's observers and rule, as TOML: observe.OBSERVER.KEY=VALUE or grade.KEY=VALUE; the row says so
    #[arg(long = "set", value_name = "KEY=VALUE", num_args = 1..)]
    pub set: Vec<String>,
}

/// How a run is made.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run quick
  unigauge run longtext --model typeset typeset-blur --limit 20
  unigauge run longtext --model ./my-model.toml --shard 2/4      # one of four processes
  unigauge run geneval --model flux-1-dev --out /data/results --dry-run
  unigauge run my-suite.toml --items my-prompts.jsonl --model typeset")]
pub struct RunArgs {
    /// A study, or a suite when models are given: a name (see `unigauge list`) or a TOML file
    pub target: String,
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
    /// Do part I of N of the items; `unigauge merge` joins the parts
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// The run seed, from which the seed of every output derives [default: the study's, or 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Results go to DIR/SUITE/MODEL/RUN
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Name of the run [default: from seed and selection, such as `seed0` or `seed0-limit20`]
    #[arg(long = "run", value_name = "NAME")]
    pub run_name: Option<String>,
    /// Outputs made and looked at at the same time [default: the cores of the machine]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Device of in-process networks
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
    /// Device memory for the weights of in-process networks, such as 24GB; they take turns where they do not fit
    /// together [default: all stay resident]
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
    /// Print the plan and run nothing (as `unigauge check`)
    #[arg(long)]
    pub dry_run: bool,
}
