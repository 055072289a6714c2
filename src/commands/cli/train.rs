//! The arguments of `unigauge train`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge train`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge train mini-vae                       # into checkpoints/mini-vae; repeat it after Ctrl-C
  unigauge train mini-vae --set steps=200 --out trial
  unigauge train configs/training/mini-vae.toml --device cuda
  unigauge train mini-vae --verify              # do the first 300 steps give the same losses again?
  unigauge train mini-edits --seed 2            # into checkpoints/mini-edits-seed2
  unigauge train mini-reference                 # all trainings of this study; two processes share the work

The folder contains the checkpoint in the layout of its authors, training.toml (the definition that
was used), curve.jsonl (one line for each step, or for each 20 steps after the training), curve.svg,
curve.png, and training.json (the record of a complete training).
A training by reward also leaves rollouts, pictures that it drew on its way.")]
pub(crate) struct TrainArgs {
    /// A training, or a study with trainings; a name or a TOML file
    pub training: String,
    /// Folder of the checkpoint [default: checkpoints/NAME]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Seed that replaces the one in the definition; the name of the folder then ends in -seedN
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Change a key of the definition, such as steps=200 or optimizer.learning_rate=1e-3
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Train the first steps again in a temporary folder, and compare their losses with the curve in the
    /// folder or in the program
    #[arg(long, conflicts_with_all = ["restart", "dry_run"])]
    pub verify: bool,
    /// Start again, and delete what an earlier training left in the folder
    #[arg(long)]
    pub restart: bool,
    /// Print the definition that would be used, and train nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Device that the network trains on
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
}
