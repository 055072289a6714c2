//! The arguments of `unigauge parity`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge parity`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge parity tests/golden/parity              # every case in the folder
  unigauge parity cases/flux_vae --device cuda

Exit codes: 0 all tensors are within their tolerance · 3 a tensor is not · 2 a case or its checkpoint
cannot be read")]
pub(crate) struct ParityArgs {
    /// Folders of cases, or of several cases each
    #[arg(required = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dirs: Vec<PathBuf>,
    /// Device that the networks run on
    #[arg(long, default_value = "cpu", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: crate::session::DeviceChoice,
}
