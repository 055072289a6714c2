//! Rewards from their names: the definitions, and the observers that look for them.

use super::{DeviceChoice, Session, SessionError};
use crate::config::{self, RewardDefinition};
use crate::reward::{Scorer, TrainingReward};
use crate::train::{Scores, TrainError};
use std::collections::BTreeSet;
use std::path::Path;

/// The definitions of rewards by their names, or by the paths of their files.
///
/// # Errors
/// Fails if there is no such reward, its definition has a mistake, or two have one name.
pub fn reward_definitions(names: &[String]) -> Result<Vec<RewardDefinition>, SessionError> {
    let mut known = BTreeSet::new();
    let mut definitions = Vec::new();
    for name in names {
        let definition = config::reward(name, Path::new(""))?.definition;
        if !known.insert(definition.name.clone()) {
            return Err(SessionError::SharedReward {
                name: definition.name,
            });
        }
        definitions.push(definition);
    }
    Ok(definitions)
}

impl Session {
    /// Opens rewards with the observers that they share.
    ///
    /// # Errors
    /// Fails if a rule of a reward has a mistake, or an observer cannot be made.
    pub fn open_rewards(
        &self,
        definitions: &[RewardDefinition],
        device: DeviceChoice,
    ) -> Result<Scorer, SessionError> {
        Scorer::open(definitions, &|name, settings| {
            self.observer(name, settings, device)
        })
    }

    /// Opens a reward for a training, by its name or by the path of its file.
    ///
    /// # Errors
    /// Fails if there is no such reward, or an observer of it cannot begin.
    pub fn training_reward(
        &self,
        name: &str,
        device: DeviceChoice,
    ) -> Result<Box<dyn Scores>, TrainError> {
        let definition = config::reward(name, Path::new("")).map_err(TrainError::definition)?;
        let scorer = self.open_rewards(&[definition.definition], device);
        let scorer = scorer.map_err(|error| cannot_look(name, error))?;
        let reward = TrainingReward::begin(scorer).map_err(|error| cannot_look(name, error))?;
        let reward = reward.ok_or_else(|| cannot_look(name, "it did not open"))?;
        Ok(Box::new(reward))
    }
}

fn cannot_look(name: &str, why: impl std::fmt::Display) -> TrainError {
    TrainError::Reward {
        message: format!("the reward `{name}`: {why}"),
    }
}
