//! The arguments of `unigauge train`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge train mini-vae                       # into checkpoints/mini-vae; again after Ctrl-C, it goes on
  unigauge train mini-vae --set steps=200 --out trial
  unigauge train configs/training/mini-vae.toml --device cuda
  unigauge train mini-vae --verify              # do the first 300 steps go as they went?
  unigauge train mini-edits --seed 2            # into checkpoints/mini-edits-seed2
  unigauge train mini-reference                 # all that this study compares; in two terminals, they share the work

The folder gets the checkpoint in its authors' layout, training.toml (the definition as used), curve.jsonl (a line a step,
of a complete training a line each 20 steps), curve.svg and curve.png, and training.json (the record of a complete training).")]
pub struct TrainArgs {
    /// A training or a study that trains, by name, or the path of its TOML file
    pub training: String,
    /// Folder of the checkpoint [default: checkpoints/NAME]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// In place of the definition's seed; the folder's name then ends in -seedN
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Change a key of the definition, such as steps=200 or optimizer.learning_rate=1e-3
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Train the first steps anew, in a folder that goes away, and compare their curve with the one that lies in the folder
    /// or came with the program
    #[arg(long, conflicts_with_all = ["restart", "dry_run"])]
    pub verify: bool,
    /// Forget what an earlier training left in the folder
    #[arg(long)]
    pub restart: bool,
    /// Print the definition as it would be used, and train nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Device of the network
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
}
