//! Several rewards over the observers that they share.

use super::{Eye, Seen, Shown};
use crate::config::{RewardDefinition, Settings};
use crate::grade::reward::{Reward, RewardError, Scored};
use crate::observe::{ObserveError, Observer};
use crate::record::{Evidence, Item, Output, OutputKind};
use image::RgbImage;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes an observer from its name and settings.
pub type BuildObserver<'a, E> = dyn Fn(&str, &Settings) -> Result<Box<dyn Observer>, E> + 'a;

/// A reward, with the places of its observers among those of the scorer.
pub struct OpenReward {
    /// The arithmetic.
    pub reward: Reward,
    /// Where its observers are in [`Scorer::eyes`].
    pub eyes: Vec<usize>,
}

impl OpenReward {
    /// The reward's name.
    pub fn name(&self) -> &str {
        &self.reward.definition().name
    }
}

/// Rewards with their observers. An observer that several rewards name with the same settings is opened once,
/// and looks once for all of them.
pub struct Scorer {
    eyes: Vec<Arc<Eye>>,
    rewards: Vec<Arc<OpenReward>>,
}

impl Scorer {
    /// Opens rewards.
    ///
    /// # Errors
    /// Fails if a reward's rule has a mistake, or an observer cannot be made.
    pub fn open<E: From<RewardError>>(
        definitions: &[RewardDefinition],
        build: &BuildObserver<'_, E>,
    ) -> Result<Self, E> {
        let mut scorer = Self {
            eyes: Vec::new(),
            rewards: Vec::new(),
        };
        let plain = Settings::default();
        for definition in definitions {
            let reward = Reward::open(definition)?;
            let mut eyes = Vec::new();
            for name in &definition.observers {
                let settings = definition.observe.get(name).unwrap_or(&plain);
                eyes.push(match scorer.find(name, settings) {
                    Some(known) => known,
                    None => {
                        let observer = build(name, settings)?;
                        scorer
                            .eyes
                            .push(Arc::new(Eye::new(name, settings, observer)));
                        scorer.eyes.len() - 1
                    }
                });
            }
            scorer.rewards.push(Arc::new(OpenReward { reward, eyes }));
        }
        Ok(scorer)
    }

    fn find(&self, name: &str, settings: &Settings) -> Option<usize> {
        self.eyes.iter().position(|eye| eye.is(name, settings))
    }

    /// A reward whose definition came later. Its observers must be open.
    ///
    /// # Errors
    /// Says which observer is not open, or what is wrong with the definition.
    pub fn further(&self, definition: &RewardDefinition) -> Result<OpenReward, String> {
        definition.check().map_err(|error| error.to_string())?;
        let plain = Settings::default();
        let eyes = definition.observers.iter().map(|name| {
            let settings = definition.observe.get(name).unwrap_or(&plain);
            let open = self.find(name, settings);
            open.ok_or_else(|| format!("the observer `{name}` is not open with these settings"))
        });
        let eyes = eyes.collect::<Result<_, _>>()?;
        let reward = Reward::open(definition).map_err(|error| error.to_string())?;
        Ok(OpenReward { reward, eyes })
    }

    /// The observers.
    pub fn eyes(&self) -> &[Arc<Eye>] {
        &self.eyes
    }

    /// The rewards, in the order in which they were given.
    pub fn rewards(&self) -> &[Arc<OpenReward>] {
        &self.rewards
    }

    /// The reward of this name.
    pub fn reward(&self, name: &str) -> Option<&Arc<OpenReward>> {
        self.rewards.iter().find(|open| open.name() == name)
    }

    /// Lets the observers check what they need, before any of them looks; each has a folder for its own files
    /// in `folder`.
    ///
    /// # Errors
    /// Fails if one could not observe anything.
    pub fn begin(&self, folder: &Path) -> Result<(), ObserveError> {
        for (number, eye) in self.eyes.iter().enumerate() {
            eye.begin(&own(folder, number)?)?;
        }
        Ok(())
    }

    /// Ends the work of the observers.
    ///
    /// # Errors
    /// Fails if one cannot write its own files.
    pub fn end(&self, folder: &Path) -> Result<(), ObserveError> {
        let eyes = self.eyes.iter().enumerate();
        let ends: Vec<_> = eyes
            .map(|(number, eye)| eye.end(&own(folder, number)?))
            .collect();
        ends.into_iter().collect()
    }

    /// What pictures are worth as outputs of items, one picture for each item. With `combine = "normalise"`
    /// the rewards are finished by [`Reward::settle`], group by group.
    pub fn score(&self, reward: &OpenReward, items: &[Item], pictures: &[RgbImage]) -> Vec<Scored> {
        let outputs: Vec<Output> = items.iter().zip(pictures).map(picture_output).collect();
        let shown = items.iter().zip(&outputs).zip(pictures);
        let shown: Vec<Shown<'_>> = shown
            .map(|((item, output), image)| Shown {
                item,
                base: Path::new(""),
                output,
                image: Some(image),
                file: None,
            })
            .collect();
        let eyes: Vec<&Eye> = reward
            .eyes
            .iter()
            .map(|eye| self.eyes[*eye].as_ref())
            .collect();
        let looks: Vec<Vec<Seen>> = eyes.iter().map(|eye| eye.look(&shown)).collect();
        let scored = shown.iter().enumerate().map(|(number, shown)| {
            let looks = eyes.iter().zip(&looks);
            let evidence: Vec<Evidence> = looks
                .map(|(eye, seen)| seen[number].record(eye.name(), shown.output))
                .collect();
            reward.reward.score(shown.item, shown.output, &evidence)
        });
        scored.collect()
    }
}

/// The folder of an observer's own files.
fn own(folder: &Path, number: usize) -> Result<PathBuf, ObserveError> {
    let own = folder.join(format!("observer-{number}"));
    let made = std::fs::create_dir_all(&own);
    made.map_err(|error| ObserveError::new("disk", format!("{}: {error}", own.display())))?;
    Ok(own)
}

/// The record of a picture that answers an item and is in memory only.
pub fn picture_output((item, picture): (&Item, &RgbImage)) -> Output {
    Output {
        item: item.item.clone(),
        repeat: 0,
        seed: 0,
        kind: OutputKind::Image,
        file: None,
        sha256: None,
        width: Some(picture.width()),
        height: Some(picture.height()),
        text: None,
        timings: Default::default(),
        fingerprint: String::new(),
        error: None,
        extra: Default::default(),
    }
}
