//! Where and how a training runs.

use super::TrainError;
use super::task::Numbers;
use crate::cancel::Cancel;
use candle_core::Device;
use std::path::{Path, PathBuf};

/// What happens while a network trains, for whoever shows it.
pub enum Event<'a> {
    /// Steps that were done before.
    Resumed {
        step: u64,
    },
    Step {
        step: u64,
        numbers: &'a Numbers,
    },
    Checked {
        step: u64,
        numbers: &'a Numbers,
    },
}

/// Where a checkpoint that comes with the program lies; None when there is none of this name.
pub type Shipped<'a> = dyn Fn(&str) -> Result<Option<PathBuf>, TrainError> + 'a;

/// Where and how a training runs.
pub struct Place<'a> {
    /// The folder of the checkpoint.
    pub folder: &'a Path,
    /// Where the checkpoints of other trainings lie.
    pub beside: &'a Path,
    pub device: &'a Device,
    pub cancel: &'a Cancel,
    /// Forget an earlier state and an earlier checkpoint.
    pub restart: bool,
    /// The step after which to stop, as if interrupted.
    pub until: u64,
    /// Finds checkpoints that come with the program, by name.
    pub shipped: &'a Shipped<'a>,
    pub on: &'a dyn Fn(Event<'_>),
}
