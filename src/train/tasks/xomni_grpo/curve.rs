//! What a step leaves behind: its numbers in the curve, and its pictures.

use super::XOmniGrpoTask;
use super::prompts::Wish;
use super::rollout::Rollouts;
use super::weigh::{Weighed, reward};
use crate::image::encode_png;
use crate::train::task::Numbers;
use crate::train::{TrainError, state};
use crate::world::{SIDE, read};
use image::RgbImage;
use image::imageops::replace;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The folder of the pictures of steps.
const FOLDER: &str = "rollouts";
/// Pixels between the pictures of a sheet.
const GAP: u32 = 2;

impl XOmniGrpoTask {
    /// The numbers of a step's drawings.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot be computed.
    pub(super) fn numbers(
        &self,
        rollouts: &Rollouts,
        weighed: &Weighed,
    ) -> Result<Numbers, TrainError> {
        let mut numbers = Numbers::new();
        let mut push = |name: &str, value: Option<f64>| {
            numbers.extend(value.map(|value| (name.to_owned(), value)));
        };
        let groups: Vec<Vec<f64>> = rollouts
            .scored
            .iter()
            .map(|group| group.iter().filter_map(reward).collect())
            .collect();
        push("reward", mean(groups.iter().flatten().copied()));
        push(
            "reward_std",
            mean(groups.iter().filter_map(|group| deviation(group))),
        );
        let best = groups.iter().filter_map(|group| {
            let best = group.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            best.is_finite().then_some(best)
        });
        push("best", mean(best));
        for (name, values) in parts(rollouts) {
            push(&format!("part_{name}"), mean(values.into_iter()));
        }
        push("zero_std", Some(weighed.even));
        push("too_few", Some(weighed.broken));
        push("missing", Some(weighed.missing));
        let pictures: Vec<RgbImage> = rollouts
            .groups
            .iter()
            .flat_map(|group| group.pictures.iter().cloned())
            .collect();
        // Letters of signs are no things of scenes.
        let scenes = rollouts.groups.iter();
        let scenes = scenes.filter(|group| matches!(group.wish, Wish::Scene(..)));
        let scenes = scenes.flat_map(|group| &group.pictures);
        let found: Vec<_> = scenes.map(read::things).collect();
        let things = found.iter().map(|found| found.len() as f64);
        push("things", mean(things));
        let unknown = found.iter().map(|found| {
            let unknown = found.iter().filter(|thing| thing.form.is_none());
            unknown.count() as f64
        });
        push("unknown", mean(unknown));
        push("codes_kept", self.codes_kept(rollouts, &pictures)?);
        for (name, seconds) in ["draw", "decode", "look"].iter().zip(rollouts.seconds) {
            push(&format!("seconds_{name}"), Some(seconds));
        }
        Ok(numbers)
    }

    /// The share of codes that the tokenizer reads back from the pictures.
    fn codes_kept(
        &self,
        rollouts: &Rollouts,
        pictures: &[RgbImage],
    ) -> Result<Option<f64>, TrainError> {
        let drawn = rollouts.groups.iter().flat_map(|group| &group.codes);
        let read = self.system.images.codes(pictures)?;
        let pairs = drawn.zip(&read).flat_map(|(drawn, read)| {
            let pairs = drawn.iter().zip(read);
            pairs.map(|(drawn, read)| f64::from(u8::from(drawn == read)))
        });
        Ok(mean(pairs))
    }

    /// Writes the pictures of a step, a row for each prompt, and what they are worth.
    ///
    /// # Errors
    /// Fails if the folder cannot be written.
    pub(super) fn show(&self, step: u64, rollouts: &Rollouts) -> Result<(), TrainError> {
        let folder = self.folder.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|error| TrainError::io(&folder, error))?;
        let sheet = folder.join(format!("step-{step:06}.png"));
        let bytes =
            encode_png(&sheet_of(rollouts)).map_err(|error| TrainError::io(&sheet, error))?;
        state::replace(&sheet, &bytes)?;
        let rows = rollouts.groups.iter().zip(&rollouts.scored);
        let rows = rows.map(|(group, scored)| {
            let parts = scored
                .iter()
                .map(|scored| json!(BTreeMap::from_iter(scored.parts.clone())));
            json!({
                "prompt": group.wish.words(),
                "codes": group.codes,
                "rewards": scored.iter().map(|scored| scored.reward).collect::<Vec<_>>(),
                "parts": parts.collect::<Vec<Value>>(),
                "errors": scored.iter().map(|scored| &scored.errors).collect::<Vec<_>>(),
            })
        });
        let text = json!({"step": step, "rows": rows.collect::<Vec<Value>>()});
        let path = folder.join(format!("step-{step:06}.json"));
        state::replace(&path, format!("{text}\n").as_bytes())
    }
}

/// The pictures of a step, a row for each prompt.
fn sheet_of(rollouts: &Rollouts) -> RgbImage {
    let columns = rollouts.groups.iter().map(|group| group.pictures.len());
    let columns = columns.max().unwrap_or(0).max(1) as u32;
    let rows = rollouts.groups.len().max(1) as u32;
    let pixels = |count: u32| count * (SIDE + GAP) - GAP;
    let white = image::Rgb([u8::MAX; 3]);
    let mut sheet = RgbImage::from_pixel(pixels(columns), pixels(rows), white);
    let place = |number: usize| number as i64 * i64::from(SIDE + GAP);
    for (row, group) in rollouts.groups.iter().enumerate() {
        for (column, picture) in group.pictures.iter().enumerate() {
            replace(&mut sheet, picture, place(column), place(row));
        }
    }
    sheet
}

/// The values of each component of the reward where it applies.
fn parts(rollouts: &Rollouts) -> BTreeMap<&str, Vec<f64>> {
    let mut parts: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let all = rollouts.scored.iter().flatten();
    for (name, value) in all.flat_map(|scored| &scored.parts) {
        if value.is_finite() {
            parts.entry(name).or_default().push(*value);
        }
    }
    parts
}

/// The mean. `None` of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The standard deviation of a sample. `None` of fewer than two values.
fn deviation(values: &[f64]) -> Option<f64> {
    let middle = mean(values.iter().copied())?;
    let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}
