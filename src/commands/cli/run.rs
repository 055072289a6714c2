//! The arguments of `unigauge run`.

use super::shard::{ShardArgs, seconds};
use super::sync::SyncArgs;
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// The options that select the items and change how they are observed and graded.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectArgs {
    /// Use only the first N items
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Use only the items with these ids
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    pub only: Vec<String>,
    /// OCR engines that replace those of the suite, such as qwen-ocr; the tables mark the run
    #[arg(long = "observer", value_name = "OBSERVER", num_args = 1..)]
    pub observers: Vec<String>,
    /// Options of the suite's observers and rule, as TOML: observe.OBSERVER.KEY=VALUE or grade.KEY=VALUE;
    /// the tables mark the run
    #[arg(long = "set", value_name = "KEY=VALUE", num_args = 1..)]
    pub set: Vec<String>,
}

/// The arguments of `unigauge run` and `unigauge generate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run quick
  unigauge run longtext --model typeset typeset-blur --limit 20
  unigauge run longtext --model ./my-model.toml --shard 2/4      # one of four processes
  unigauge run longtext --model ./my-model.toml --shard auto --shards 16   # one task of an array
  unigauge run longtext --model typeset --shard 2/4 --sync s3://bucket/results   # without a common disk
  unigauge run geneval --model my_model.py --limit 8             # a function in Python, without a TOML file
  unigauge run geneval --model diffusers:stabilityai/sd-turbo,num_inference_steps=1,dtype=bfloat16
  unigauge run geneval --model flux-1-dev --out /data/results --dry-run
  unigauge run my-suite.toml --items my-prompts.jsonl --model typeset")]
pub(crate) struct RunArgs {
    /// A study, or a suite with `--model`; a name (see `unigauge list`) or a TOML file
    pub target: String,
    /// Models, each a name, a TOML file, a Python file (my_model.py, my_model.py:function),
    /// diffusers:REPO_OR_FOLDER or transformers:REPO_OR_FOLDER; settings follow the last four
    /// (my_model.py,timeout_seconds=60)
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
    #[command(flatten)]
    pub shard: ShardArgs,
    /// Time for the outputs in hand after a signal that ends the run, such as SIGTERM
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub grace: Duration,
    #[command(flatten)]
    pub sync: SyncArgs,
    /// The run seed, from which the seed of each output is derived [default: the study's, or 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Folder of the results; each run is written to DIR/SUITE/MODEL/RUN
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Name of the run [default: the seed and the selection, such as `seed0` or `seed0-limit20`]
    #[arg(long = "run", value_name = "NAME")]
    pub run_name: Option<String>,
    /// Number of outputs that are generated and observed at the same time [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Device that the networks in this process run on
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
    /// Device memory for the weights of the networks in this process, such as 24GB; networks that do not
    /// fit together take turns [default: all stay in memory]
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
    /// Print the plan and run nothing, as `unigauge check` does
    #[arg(long)]
    pub dry_run: bool,
}
