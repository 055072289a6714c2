//! What is known of a task.

use crate::train::TrainError;
use crate::train::setup::Setup;
use crate::train::task::Learner;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is known of a task.
pub struct TaskDescription {
    /// The name in definitions of trainings.
    pub name: &'static str,
    /// What the network learns, in a sentence.
    pub about: &'static str,
    /// The roles that `from` of a training may name. Any other role would have no effect.
    pub roles: &'static [&'static str],
    /// Makes the network.
    pub open: LearnerMaker,
}

/// Makes the network of a task.
///
/// # Errors
/// Fails if the definition has a mistake, or a checkpoint that it begins from is absent.
pub(super) type LearnerMaker = fn(&Setup<'_>) -> Result<Box<dyn Learner>, TrainError>;

impl TaskDescription {
    /// Checks what a training begins from.
    ///
    /// # Errors
    /// Fails if it names a role that the task does not have.
    pub fn check_roles(&self, from: &BTreeMap<String, PathBuf>) -> Result<(), TrainError> {
        let mut named = from.keys();
        let Some(role) = named.find(|role| !self.roles.contains(&role.as_str())) else {
            return Ok(());
        };
        let message = if self.roles.is_empty() {
            format!("`from.{role}`: this task does not start from a checkpoint")
        } else {
            let roles = self.roles.join("`, `");
            format!("`from.{role}`: this task starts from `{roles}`")
        };
        Err(TrainError::Definition { message })
    }
}
