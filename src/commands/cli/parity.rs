//! The arguments of `unigauge parity`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge parity tests/golden/parity              # every case in the folder
  unigauge parity cases/flux_vae --device cuda

Exit codes: 0 all within tolerance · 3 some tensor is not · 2 a case or its checkpoint cannot be read")]
pub struct ParityArgs {
    /// Cases, or folders of cases
    #[arg(required = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dirs: Vec<PathBuf>,
    /// Device of the networks
    #[arg(long, default_value = "cpu", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
}
