//! The arguments of `unigauge tokens`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The actions of `unigauge tokens`.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum TokensCommand {
    /// Turn pictures into codes, one JSON line for each: `{"image", "height", "width", "ids"}`
    Encode(TokensEncodeArgs),
    /// Turn codes into pictures with the diffusion decoder
    Decode(TokensDecodeArgs),
}

/// The tokenizer, and where it runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct TokensArgs {
    /// A model of the generator xomni, a name or a TOML file
    #[arg(long, short, value_name = "MODEL")]
    pub model: String,
    /// Device that the networks run on
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
    /// Device memory for the weights of the networks, such as 24GB
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
}

/// The arguments of `unigauge tokens encode`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge tokens encode photo.jpg --model x-omni-en > photo.json
  unigauge tokens encode pictures/*.png --model x-omni-zh --out codes")]
pub(crate) struct TokensEncodeArgs {
    /// The pictures to encode
    #[arg(required = true, value_name = "IMAGE", value_hint = ValueHint::FilePath)]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub tokens: TokensArgs,
    /// Resize pictures of other sizes and shapes than those in the training of the tokenizer, instead of
    /// refusing them
    #[arg(long)]
    pub any_size: bool,
    /// Write the codes to DIR/NAME.json instead of printing them
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// The arguments of `unigauge tokens decode`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge tokens decode photo.json --model x-omni-zh --out again
  unigauge tokens decode codes/*.json --model x-omni-en --prompt \"a red kite\" --seed 7 --out again")]
pub(crate) struct TokensDecodeArgs {
    /// Files of JSON objects with `height`, `width` and `ids`
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub tokens: TokensArgs,
    /// The description of the picture, for a decoder that reads text
    #[arg(long, default_value = "", hide_default_value = true)]
    pub prompt: String,
    /// Seed of the noise that decoding starts from
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Write the pictures to DIR/NAME.png
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}
