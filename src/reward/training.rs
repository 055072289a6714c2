//! Rewards for trainings in this process: the same observers, rules and mix as in `grade`.

use super::{OpenReward, Scorer};
use crate::config::Combine;
use crate::grade::reward::Scored as Graded;
use crate::observe::ObserveError;
use crate::record::Item;
use crate::train::{Scored, Scores, TrainError};
use image::RgbImage;
use std::sync::Arc;
use tempfile::TempDir;

/// A reward that a training asks.
pub struct TrainingReward {
    scorer: Scorer,
    reward: Arc<OpenReward>,
    /// For the observers' own files.
    folder: TempDir,
}

impl TrainingReward {
    /// Takes the first reward of a scorer, and lets its observers begin. `None` if the scorer has no reward.
    ///
    /// # Errors
    /// Fails if an observer could not observe anything.
    pub fn begin(scorer: Scorer) -> Result<Option<Self>, ObserveError> {
        let Some(reward) = scorer.rewards().first().cloned() else {
            return Ok(None);
        };
        let folder = tempfile::tempdir();
        let folder = folder.map_err(|error| ObserveError::new("disk", error.to_string()))?;
        scorer.begin(folder.path())?;
        Ok(Some(Self {
            scorer,
            reward,
            folder,
        }))
    }
}

impl Scores for TrainingReward {
    fn fingerprint(&self) -> String {
        self.reward.reward.fingerprint()
    }

    fn is_relative(&self) -> bool {
        self.reward.reward.definition().combine == Combine::Normalise
    }

    fn score(
        &self,
        items: &[Item],
        pictures: &[Vec<RgbImage>],
    ) -> Result<Vec<Vec<Scored>>, TrainError> {
        let groups = items.iter().zip(pictures);
        let each = groups.flat_map(|(item, pictures)| pictures.iter().map(move |_| item.clone()));
        let each: Vec<Item> = each.collect();
        let shown: Vec<RgbImage> = pictures.iter().flatten().cloned().collect();
        let mut graded = self.scorer.score(&self.reward, &each, &shown).into_iter();
        let groups = pictures.iter().map(|pictures| {
            let mut group: Vec<Graded> = graded.by_ref().take(pictures.len()).collect();
            self.reward.reward.settle(&mut group);
            group.into_iter().map(scored).collect()
        });
        Ok(groups.collect())
    }
}

impl Drop for TrainingReward {
    fn drop(&mut self) {
        // The folder goes with it, so what an observer could not write is of no use.
        let _ = self.scorer.end(self.folder.path());
    }
}

/// What a reward says of one picture, as a training reads it.
fn scored(graded: Graded) -> Scored {
    let parts = graded.parts.into_iter();
    let errors = graded.errors.into_iter();
    Scored {
        reward: graded.reward,
        parts: parts.map(|(name, part)| (name, part.value)).collect(),
        errors: errors
            .map(|(name, fault)| (name, fault.to_string()))
            .collect(),
    }
}
