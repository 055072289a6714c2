//! The arguments of `unigauge tokens`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// What `unigauge tokens` does.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum TokensCommand {
    /// Pictures to codes: a line of JSON each, `{"image", "height", "width", "ids"}`
    Encode(TokensEncodeArgs),
    /// Codes to pictures, through the diffusion decoder
    Decode(TokensDecodeArgs),
}

/// Whose tokenizer, and where it runs.
#[derive(Debug, Clone, Args)]
pub struct TokensArgs {
    /// A model of the generator xomni: a name or a TOML file
    #[arg(long, short, value_name = "MODEL")]
    pub model: String,
    /// Device of the networks
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
    /// Device memory for the weights of the networks, such as 24GB
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge tokens encode photo.jpg --model x-omni-en > photo.json
  unigauge tokens encode pictures/*.png --model x-omni-zh --out codes")]
pub struct TokensEncodeArgs {
    /// Pictures
    #[arg(required = true, value_name = "IMAGE", value_hint = ValueHint::FilePath)]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub tokens: TokensArgs,
    /// Resize pictures of any size and shape, instead of refusing those that the tokenizer was not trained on
    #[arg(long)]
    pub any_size: bool,
    /// Write DIR/NAME.json instead of printing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge tokens decode photo.json --model x-omni-zh --out again
  unigauge tokens decode codes/*.json --model x-omni-en --prompt \"a red kite\" --seed 7 --out again")]
pub struct TokensDecodeArgs {
    /// Files of JSON objects with `height`, `width` and `ids`
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub tokens: TokensArgs,
    /// What a decoder that reads text is told of the picture
    #[arg(long, default_value = "", hide_default_value = true)]
    pub prompt: String,
    /// Seed of the noise that decoding starts from
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Pictures go to DIR/NAME.png
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}
