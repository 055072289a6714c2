//! Where and how a training runs.

use super::TrainError;
use super::scores::Rewards;
use super::task::Numbers;
use crate::cancel::Cancel;
use candle_core::Device;
use std::path::{Path, PathBuf};

/// What happens while a network trains, for the part of the program that shows it.
pub enum Event<'a> {
    /// Steps that were done before.
    Resumed {
        /// The number of the last of them.
        step: u64,
    },
    /// A step was done.
    Step {
        /// The step, from 1.
        step: u64,
        /// The loss and its parts.
        numbers: &'a Numbers,
    },
    /// The network was checked after a step.
    Checked {
        /// The step, from 1.
        step: u64,
        /// What the check found.
        numbers: &'a Numbers,
    },
}

/// Finds the folder of a checkpoint that comes with the program. `None` if there is none of this name.
pub type Shipped<'a> = dyn Fn(&str) -> Result<Option<PathBuf>, TrainError> + 'a;

/// Where and how a training runs.
pub struct Place<'a> {
    /// The folder of the checkpoint.
    pub folder: &'a Path,
    /// Where the checkpoints of other trainings lie.
    pub beside: &'a Path,
    /// Where the network is computed.
    pub device: &'a Device,
    /// The flag that is raised when the training should stop after its current step.
    pub cancel: &'a Cancel,
    /// Whether an earlier state and an earlier checkpoint are removed first.
    pub restart: bool,
    /// The step after which to stop, as if interrupted.
    pub until: u64,
    /// Finds checkpoints that come with the program, by name.
    pub shipped: &'a Shipped<'a>,
    /// Opens rewards, by name.
    pub rewards: &'a Rewards<'a>,
    /// Called with every event.
    pub on: &'a dyn Fn(Event<'_>),
}
