//! The rewards that `unigauge train` hands to trainings: the same observers, rules and mix as in `grade`.

use super::context::Context;
use crate::config;
use crate::grade::reward::{RewardError, Scored as Graded};
use crate::record::Item;
use crate::reward::{OpenReward, Scorer};
use crate::session::{DeviceChoice, SessionError};
use crate::train::{Scored, Scores, TrainError};
use image::RgbImage;
use std::path::Path;
use std::sync::Arc;

/// A reward over observers in this process.
struct InProcess {
    scorer: Scorer,
    reward: Arc<OpenReward>,
    /// For the observers' own files.
    folder: tempfile::TempDir,
}

/// Opens a reward by name or by the path of its file; its observers work on a device.
///
/// # Errors
/// Fails if there is no such reward, or an observer of it cannot be made.
pub(super) fn open_reward(
    ctx: &Context,
    name: &str,
    device: DeviceChoice,
) -> Result<Box<dyn Scores>, TrainError> {
    let definition = config::reward(name, Path::new("")).map_err(TrainError::definition)?;
    let scorer = Scorer::open(&[definition.definition], &|observer, settings| {
        let made = ctx.session.observer(observer, settings, device);
        made.map_err(OpenError::from)
    });
    let scorer = scorer.map_err(|error| failed(name, error))?;
    let folder = tempfile::tempdir().map_err(|error| failed(name, error))?;
    scorer
        .begin(folder.path())
        .map_err(|error| failed(name, error))?;
    let reward = scorer.rewards().first().cloned();
    let reward = reward.ok_or_else(|| failed(name, "it did not open"))?;
    Ok(Box::new(InProcess {
        scorer,
        reward,
        folder,
    }))
}

/// Why a reward does not open.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Reward(#[from] RewardError),
    #[error(transparent)]
    Observer(#[from] SessionError),
}

fn failed(name: &str, why: impl std::fmt::Display) -> TrainError {
    TrainError::Reward {
        message: format!("the reward `{name}`: {why}"),
    }
}

impl Scores for InProcess {
    fn fingerprint(&self) -> String {
        self.reward.reward.fingerprint()
    }

    fn is_relative(&self) -> bool {
        self.reward.reward.definition().combine == config::Combine::Normalise
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

impl Drop for InProcess {
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
            .map(|(name, fault)| (name, format!("{}: {}", fault.kind, fault.message)))
            .collect(),
    }
}
