//! Drawings of the policy, their pictures and what they are worth.

use super::XOmniGrpoTask;
use super::prompts::Wish;
use super::system::Coded;
use crate::model::xomni::{Drawing, XOmniAr};
use crate::record::Item;
use crate::train::TrainError;
use crate::train::samples::{TRAINING, stream};
use crate::train::scores::Scored;
use crate::world::random::Random;
use image::RgbImage;
use sha2::{Digest, Sha256};
use std::time::Instant;

/// The drawings of one prompt.
pub(super) struct Group {
    /// What was asked.
    pub wish: Wish,
    /// The ids of the prompt.
    pub prompt: Vec<u32>,
    /// The codes of each drawing.
    pub codes: Vec<Vec<u32>>,
    /// The picture of each.
    pub pictures: Vec<RgbImage>,
}

/// The drawings of one step, and what they are worth.
pub(super) struct Rollouts {
    /// Drawings by prompt.
    pub groups: Vec<Group>,
    /// What each drawing of each group is worth.
    pub scored: Vec<Vec<Scored>>,
    /// Seconds of drawing, decoding and looking.
    pub seconds: [f64; 3],
}

/// A seed from numbers: the first eight bytes of their SHA-256.
pub(super) fn seed(numbers: &[u64]) -> u64 {
    let mut hash = Sha256::new();
    for number in numbers {
        hash.update(number.to_le_bytes());
    }
    let hash = hash.finalize();
    hash.iter()
        .take(8)
        .rev()
        .fold(0, |all, byte| (all << 8) | u64::from(*byte))
}

impl XOmniGrpoTask {
    /// What a step asks for.
    fn wishes(&self, step: u64) -> Vec<Wish> {
        let mut random = Random::new(self.seed, stream(TRAINING, step));
        (0..self.batch)
            .map(|_| Wish::sampled(&self.settings.prompts, &mut random))
            .collect()
    }

    /// Draws and scores the pictures of a step.
    ///
    /// # Errors
    /// Fails if a score of the policy is not a number, or the reward cannot look.
    pub(super) fn rollouts(&self, step: u64) -> Result<Rollouts, TrainError> {
        let wishes = self.wishes(step);
        let policy = self.still()?;
        let began = Instant::now();
        let mut groups = self.draw(&policy, &wishes, self.settings.group, &[step])?;
        let drawn = began.elapsed().as_secs_f64();
        self.decode(&mut groups, &[step])?;
        let decoded = began.elapsed().as_secs_f64();
        let items: Vec<Item> = wishes
            .iter()
            .enumerate()
            .map(|(number, wish)| wish.item(format!("{step}-{number}")))
            .collect();
        let pictures: Vec<Vec<RgbImage>> =
            groups.iter().map(|group| group.pictures.clone()).collect();
        let scored = self.scores.score(&items, &pictures)?;
        let fits = scored.len() == groups.len()
            && scored
                .iter()
                .zip(&groups)
                .all(|(scored, group)| scored.len() == group.pictures.len());
        if !fits {
            return Err(TrainError::Reward {
                message: format!("the reward scored other pictures than those of step {step}"),
            });
        }
        let looked = began.elapsed().as_secs_f64();
        Ok(Rollouts {
            groups,
            scored,
            seconds: [drawn, decoded - drawn, looked - decoded],
        })
    }

    /// Drawings of wishes, `count` of each. A drawing's seed follows from the training's, from `place`, and
    /// from the numbers of wish and drawing.
    ///
    /// # Errors
    /// Fails if a score of the policy is not a number.
    pub(super) fn draw(
        &self,
        policy: &XOmniAr,
        wishes: &[Wish],
        count: usize,
        place: &[u64],
    ) -> Result<Vec<Group>, TrainError> {
        let mut groups = Vec::with_capacity(wishes.len());
        for wish in wishes {
            groups.push(Group {
                wish: *wish,
                prompt: self.prompt(&wish.words())?,
                codes: Vec::with_capacity(count),
                pictures: Vec::new(),
            });
        }
        let numbered = groups.iter().enumerate();
        let drawings = numbered.flat_map(|(number, group)| {
            (0..count).map(move |member| Drawing {
                prompt: &group.prompt,
                negative: &[],
                seed: seed(&numbers(self.seed, place, &[number as u64, member as u64])),
            })
        });
        let drawings: Vec<Drawing<'_>> = drawings.collect();
        let tokens = self.system.images.side.pow(2);
        let sampling = self.settings.sampling();
        let mut codes = Vec::with_capacity(drawings.len());
        for drawings in drawings.chunks(self.settings.decode.batch) {
            codes.extend(policy.draw(drawings, tokens, &sampling, 1.0, &mut |_| true)?);
        }
        let mut codes = codes.into_iter();
        for group in &mut groups {
            group.codes.extend(codes.by_ref().take(count));
        }
        Ok(groups)
    }

    /// Makes the pictures of drawings. The noise of the decoder is the same for all drawings of a wish.
    ///
    /// # Errors
    /// Fails if the decoder cannot be computed.
    pub(super) fn decode(&self, groups: &mut [Group], place: &[u64]) -> Result<(), TrainError> {
        let captions: Vec<String> = groups.iter().map(|group| group.wish.words()).collect();
        let numbered = groups.iter().zip(&captions).enumerate();
        let coded = numbered.flat_map(|(number, (group, caption))| {
            let noise = seed(&numbers(self.seed, place, &[number as u64]));
            group.codes.iter().map(move |codes| Coded {
                caption,
                codes,
                noise,
            })
        });
        let coded: Vec<Coded<'_>> = coded.collect();
        let mut pictures = self.system.pictures(&coded)?.into_iter();
        for group in groups {
            let count = group.codes.len();
            group.pictures = pictures.by_ref().take(count).collect();
        }
        Ok(())
    }

    /// The ids of a prompt, up to the token before the image tokens.
    fn prompt(&self, words: &str) -> Result<Vec<u32>, TrainError> {
        let side = self.system.images.side;
        let [open, _, image] = &self.config.mm_special_tokens;
        Ok(self
            .tokens
            .encode(&format!("{words}{open}{side} {side}{image}"))?)
    }
}

fn numbers(first: u64, place: &[u64], last: &[u64]) -> Vec<u64> {
    [&[first][..], place, last].concat()
}

#[cfg(test)]
mod tests {
    use super::seed;

    /// Of Python: `int.from_bytes(hashlib.sha256(struct.pack("<3Q", 1, 2, 3)).digest()[:8], "little")`.
    #[test]
    fn seeds_are_the_first_bytes_of_the_hash() {
        assert_eq!(seed(&[1, 2, 3]), SEED_123);
        assert_ne!(seed(&[1, 2, 3]), seed(&[1, 2, 4]));
    }

    const SEED_123: u64 = 7_538_429_734_515_106_530;
}
