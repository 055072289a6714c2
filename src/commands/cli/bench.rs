//! The arguments of `unigauge bench`.

use crate::bench::NETWORKS;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The benchmarks of `unigauge bench`.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Bench {
    /// Measure the seconds of each phase, the tokens per second and the peak memory of a network with
    /// random weights
    Model(BenchModelArgs),
}

/// The arguments of `unigauge bench model`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge bench model flux                                  # a small block stack, one step of 512 × 512
  unigauge bench model flux --released --size 1024x1024 --text-tokens 512 --device cuda
  unigauge bench model qwen2.5-vl --new-tokens 64 --json
  unigauge bench model flux-vae --config my-vae/config.json --out vae.json

benches/model.py times the Python implementations with the same configuration and sizes, and
prints the ratios.")]
pub(crate) struct BenchModelArgs {
    /// The name of the network.
    #[arg(help = networks())]
    pub network: String,
    /// The network's `config.json` [default: a small configuration that takes seconds on a CPU]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Use the configuration of the released checkpoint
    #[arg(long, conflicts_with = "config")]
    pub released: bool,
    /// Size of the picture in pixels; siglip uses the size in its configuration [default: 512x512, and
    /// 504x504 for qwen2.5-vl]
    #[arg(long, value_name = "WxH")]
    pub size: Option<PixelSize>,
    /// Number of text tokens: of T5 and the prompt for flux and xomni, of the question for qwen2.5-vl
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub text_tokens: usize,
    /// Number of new tokens: of the answer of qwen2.5-vl, or of the picture of xomni-ar
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub new_tokens: usize,
    /// Number of pictures at a time: of clip, mask2former and siglip; xomni-ar also draws this many together,
    /// if it is not 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub batch: usize,
    /// Also measure a whole picture of flux with this number of steps
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub steps: Option<usize>,
    /// Number of timed repetitions
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub repeats: usize,
    /// Number of repetitions before the timed ones
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub warmup: usize,
    /// Device that the network runs on
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
    /// Number format [default: bf16 on a GPU, f32 on the CPU]
    #[arg(long, value_enum)]
    pub precision: Option<BenchPrecision>,
    /// Also write the result as JSON to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is not a number of 1 or more")),
    }
}

/// The names of the networks that can be timed.
fn networks() -> String {
    let names: Vec<&str> = NETWORKS.iter().map(|kind| kind.name).collect();
    format!("The network: one of {}", names.join(", "))
}

/// Number formats of the weights and activations in `unigauge bench`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchPrecision {
    /// 32-bit floating point.
    F32,
    /// 16-bit brain floating point.
    Bf16,
}

/// Width and height in pixels, written as `512x512`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PixelSize(pub [usize; 2]);

impl std::str::FromStr for PixelSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once('x');
        let side = |text: &str| {
            text.parse()
                .ok()
                .filter(|&side| side > 0 && side <= 1 << 16)
        };
        sides
            .and_then(|(width, height)| Some(Self([side(width)?, side(height)?])))
            .ok_or_else(|| format!("`{text}` is not a size; write it in pixels, such as 1024x768"))
    }
}
