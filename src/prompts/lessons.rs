//! What the probes of the miniature world ask for, as lessons of a training.

use super::{mini_drift, mini_maps, mini_scenes};
use crate::world::random::Random;
use image::RgbImage;
use serde::Deserialize;

/// An instruction with the picture before it and the picture after it.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnPair {
    /// The words.
    pub instruction: String,
    /// The input picture.
    pub before: RgbImage,
    /// The wanted picture.
    pub after: RgbImage,
}

/// A kind of lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeLesson {
    /// Maps of scenes whose things hide each other (`mini-maps`).
    Maps,
    /// Edits of a shape beside a word (`mini-drift`).
    Drift,
    /// Pictures to be cleaned of noise (`mini-noise-restore`).
    Restore,
}

impl ProbeLesson {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Maps, Self::Drift, Self::Restore];

    /// A lesson that training may see.
    pub fn sampled(self, random: &mut Random) -> DrawnPair {
        let (instruction, before, after) = match self {
            Self::Maps => mini_maps::sampled(random),
            Self::Drift => mini_drift::for_training(random),
            Self::Restore => mini_scenes::sampled(random),
        };
        DrawnPair {
            instruction,
            before,
            after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SIDE;

    #[test]
    fn lessons_have_pictures_of_the_world_and_change_something() {
        let mut random = Random::new(5, 5);
        for lesson in ProbeLesson::ALL {
            for _ in 0..20 {
                let pair = lesson.sampled(&mut random);
                assert_eq!(pair.before.dimensions(), (SIDE, SIDE));
                assert_eq!(pair.after.dimensions(), (SIDE, SIDE));
                assert!(!pair.instruction.is_empty());
                let same = pair.before == pair.after;
                assert!(!same || lesson == ProbeLesson::Restore, "{lesson:?}");
            }
        }
    }
}
