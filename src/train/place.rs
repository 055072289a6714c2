//! Where and how a training runs.

use super::TrainError;
use super::task::Numbers;
use crate::cancel::Cancel;
use candle_core::Device;
use std::path::{Path, PathBuf};

/// What happens while a network trains, for whoever shows it.
pub enum Event<'a> {
    /// Steps that were done before.
    Resumed { step: u64 },
    /// A step was done.
    Step { step: u64, numbers: &'a Numbers },
    /// The network was checked after a step.
    Checked { step: u64, numbers: &'a Numbers },
}

/// Where a checkpoint that comes with the program lies. `None` if there is none of this name.
pub type Shipped<'a> = dyn Fn(&str) -> Result<Option<PathBuf>, TrainError> + 'a;

/// Where and how a training runs.
pub struct Place<'a> {
    /// The folder of the checkpoint.
    pub folder: &'a Path,
    /// Where the checkpoints of other trainings lie.
    pub beside: &'a Path,
    /// Where the network is computed.
    pub device: &'a Device,
    /// Raised when the training should stop after the step.
    pub cancel: &'a Cancel,
    /// Forget an earlier state and an earlier checkpoint.
    pub restart: bool,
    /// The step after which to stop, as if interrupted.
    pub until: u64,
    /// Finds checkpoints that come with the program, by name.
    pub shipped: &'a Shipped<'a>,
    /// Is told what happens.
    pub on: &'a dyn Fn(Event<'_>),
}
