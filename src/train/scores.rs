//! What pictures are worth, for trainings by reward. Whoever runs a training hands this in: the trainer knows
//! no observer and no rule.

use super::TrainError;
use crate::record::Item;
use image::RgbImage;

/// What one picture is worth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scored {
    /// The reward. `None` if something is missing, as `errors` says.
    pub reward: Option<f64>,
    /// The value of each component that applies and has its evidence, by name.
    pub parts: Vec<(String, f64)>,
    /// Why components have no value: name and reason.
    pub errors: Vec<(String, String)>,
}

/// A reward of pictures.
pub trait Scores {
    /// A hash of everything that shapes the rewards.
    fn fingerprint(&self) -> String;

    /// Whether rewards are relative to those of the same item already.
    fn is_relative(&self) -> bool;

    /// What the pictures of each item are worth, in order.
    ///
    /// # Errors
    /// Fails if the reward cannot look at all. A picture that cannot be judged has an error of its own.
    fn score(
        &self,
        items: &[Item],
        pictures: &[Vec<RgbImage>],
    ) -> Result<Vec<Vec<Scored>>, TrainError>;
}

/// Opens the reward of a name.
pub type Rewards<'a> = dyn Fn(&str) -> Result<Box<dyn Scores>, TrainError> + 'a;

/// For trainings that need no reward: there is none.
///
/// # Errors
/// Always.
pub fn no_rewards(name: &str) -> Result<Box<dyn Scores>, TrainError> {
    Err(TrainError::Definition {
        message: format!("`settings.reward` = \"{name}\": there are no rewards here"),
    })
}
