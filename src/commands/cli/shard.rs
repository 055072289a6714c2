//! The options of commands that make one shard of a run, or wait for a run folder.

use clap::Args;
use std::str::FromStr;
use std::time::Duration;

/// The options of a command that makes one shard.
#[derive(Debug, Clone, Args)]
pub(crate) struct ShardArgs {
    /// Run only part I of N of the items, or the part whose number a scheduler tells (auto); `unigauge merge`
    /// joins the parts
    #[arg(long, value_name = "I/N|auto")]
    pub shard: Option<ShardArg>,
    /// Number of parts for `--shard auto`
    #[arg(long, value_name = "N", env = "UNIGAUGE_SHARDS", hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub shards: Option<u32>,
    /// Number that the array's first task has, for `--shard auto`
    #[arg(long, value_name = "0|1", default_value = "0", hide_default_value = true, value_parser = clap::value_parser!(u8).range(0..=1))]
    pub shard_base: u8,
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// The option of a command that needs a run folder for itself.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WaitArgs {
    /// Time to wait for another process that writes into the run folder [default: 0, and 600 in a job of a
    /// scheduler]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub wait_lock: Option<Duration>,
}

/// A shard as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShardArg {
    /// This one.
    Given(crate::run::Shard),
    /// The one that the environment tells.
    Auto,
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            text => text.parse().map(Self::Given),
        }
    }
}

/// Reads a time in seconds.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| "expected a number of seconds, 0 or more".to_owned())
}
