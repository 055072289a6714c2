//! The arguments of `unigauge bench`.

use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// What `unigauge bench` times.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Bench {
    /// Seconds by phase, tokens by second and peak memory of a network with random weights
    Model(BenchModelArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge bench model flux                                  # a small block stack, one step of 512 × 512
  unigauge bench model flux --released --size 1024x1024 --text-tokens 512 --device cuda
  unigauge bench model qwen2.5-vl --new-tokens 64 --json
  unigauge bench model flux-vae --config my-vae/config.json --out vae.json

benches/model.py times the Python implementations on the same configuration and sizes, and prints the ratios.")]
pub struct BenchModelArgs {
    /// clip, flux, flux-vae, mask2former, qwen2.5-vl, siglip, xomni-ar or xomni-decoder
    pub network: String,
    /// The network's `config.json` [default: a size that takes seconds on a CPU]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The configuration of the released checkpoint
    #[arg(long, conflicts_with = "config")]
    pub released: bool,
    /// The picture in pixels (siglip takes its configuration's) [default: 512x512; 504x504 for qwen2.5-vl]
    #[arg(long, value_name = "WxH")]
    pub size: Option<PixelSize>,
    /// Tokens of words: T5's and the prompt's for flux and xomni, the question's for qwen2.5-vl
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub text_tokens: usize,
    /// Tokens that qwen2.5-vl answers with, or xomni-ar draws
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub new_tokens: usize,
    /// Repetitions that count
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub repeats: usize,
    /// Repetitions before them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub warmup: usize,
    /// Device of the network
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
    /// Number format [default: bf16 on a GPU, f32 on the CPU]
    #[arg(long, value_enum)]
    pub precision: Option<BenchPrecision>,
    /// Also write the result to a file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

/// Number formats of `unigauge bench`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchPrecision {
    F32,
    Bf16,
}

/// Width and height in pixels, as `512x512`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelSize(pub [usize; 2]);

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
            .ok_or_else(|| format!("`{text}` is no size: write for example 1024x768"))
    }
}
