//! The arguments of `unigauge serve`.

use clap::{Args, ValueHint};
use std::net::SocketAddr;

/// What is served.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Serve {
    /// Serve rewards over HTTP to the trainer of another program
    Rewards(ServeRewardsArgs),
}

/// The arguments of `unigauge serve rewards`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge serve rewards --rewards x-omni                      on this machine only, port 8080
  unigauge serve rewards --rewards geneval --items geneval     prompts are found in the suite
  unigauge serve rewards --rewards x-omni,ocr --device cuda --listen 127.0.0.1:9000
  TOKEN=… unigauge serve rewards --rewards x-omni --listen 0.0.0.0:8080 --token-env TOKEN

Clients: Flow-Factory (server_url: http://HOST:8080/r/REWARD), UniRL (http://HOST:8080), and
examples/reward_client.py for flow_grpo, TRL and verl.")]
pub(crate) struct ServeRewardsArgs {
    /// Names of rewards, or the paths of their TOML files; `unigauge list rewards` prints the names
    #[arg(
        long,
        required = true,
        value_delimiter = ',',
        value_name = "REWARD,…",
        num_args = 1..
    )]
    pub rewards: Vec<String>,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Items by their prompts, for clients that send no metadata: suites, or JSON lines with the key
    /// `prompt`, such as GenEval's metadata
    #[arg(long, value_name = "SUITE|FILE", num_args = 1.., value_hint = ValueHint::FilePath)]
    pub items: Vec<String>,
    /// Environment variable with the token that clients must send
    #[arg(long, value_name = "NAME", conflicts_with = "no_token")]
    pub token_env: Option<String>,
    /// Serve everybody who reaches the address without a token, on other machines too
    #[arg(long)]
    pub no_token: bool,
    /// Largest body of a request, such as 64MiB
    #[arg(long, value_name = "BYTES", default_value = "256MiB")]
    pub max_body: bytesize::ByteSize,
    /// Most pictures that wait or are in work; a further request waits until there is room
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_pictures: u32,
    /// Device that the observers' networks run on
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
}
